import Bytes
import Exploration
import Foundation
import Machine
import Oracle
import Platform
import Runs
import Scenarios
import Targets

/// A list of runs: targets × scenarios × seeds × parameters.
package struct Matrix: Sendable {
    package struct Cell: Sendable {
        package var request: RunRequest
        /// The expected verdict. A cell that passes although another verdict is expected counts as a harness error.
        package var expectation: Verdict
        /// The reason why a violation is expected.
        package var reason: String?
        /// The check that at least one finding of an expected violation must name.
        package var expectedCheck: Check?
        /// The loss that every finding of an expected violation must have; a violation with another cause is
        /// unexpected.
        package var expectedLoss: ExpectedLoss?
        /// The reason why the cell cannot run on this machine; nil if it can.
        package var obstacle: String?

        /// All parameters of the cell in one line. Cells with equal names do the same.
        package var name: String {
            let scenario = request.scenario
            let shape = request.shape
            var words = [
                request.target.label, scenario.name.rawValue, request.profiles.name, request.contract.name,
                "seed \(request.seed)", "ops \(request.operationCount)",
                "cycles \(scenario.texts(of: "cycles").first ?? "0")",
                "budget \(scenario.budget?.seconds.map(String.init) ?? "none")",
            ]
            if shape.threadCount > 1 { words.append("threads \(shape.threadCount)") }
            if let bytes = shape.valueBytes { words.append("values of \(bytes)") }
            for (option, texts) in scenario.changed where !["cycles", "budget"].contains(option.name) {
                let name = option.name.replacing("-", with: " ")
                words += texts.map { option.kind == .flag ? name : "\(name) \($0)" }
            }
            return words.joined(separator: ", ")
        }
    }

    package var cells: [Cell]

    package init(cells: [Cell]) { self.cells = cells }

    /// Identifies the cells and their order: a checksum of names and expectations, and the number of cells.
    package var fingerprint: String {
        let text = cells.map {
            let known = $0.request.known.map { "known \($0)" }
            let expected = [
                $0.expectation.rawValue, $0.expectedCheck?.rawValue ?? "", $0.expectedLoss?.description ?? "",
            ]
            return ([$0.name] + expected + known).joined(separator: " ")
        }.joined(separator: "\n")
        return String(CRC32C.checksum(Array(text.utf8)), radix: 16) + "-\(cells.count)"
    }

    /// Marks the cells that cannot run here.
    ///
    /// - Parameter obstacle: what is missing on this machine for these needs; nil if nothing is. Called once for equal
    ///   needs.
    package mutating func skip(_ obstacle: ([MachineNeed]) -> String?) {
        var known: [[MachineNeed]: String?] = [:]
        for index in cells.indices {
            let needs = cells[index].request.needs
            let answer = known[needs] ?? obstacle(needs)
            known[needs] = answer
            cells[index].obstacle = answer
        }
    }

    /// The cells with seeds increased by `number`, for another round of a soak.
    package func round(_ number: UInt64) -> [Cell] {
        cells.map { cell in
            var cell = cell
            cell.request.seed = cell.request.seed &+ number
            return cell
        }
    }

    /// The cells with their results.
    package func rows(_ results: [RunResult?]) -> [MatrixRow] {
        zip(cells, results).map { MatrixRow($0, $1) }
    }

    /// Runs the cells at the indices `places`, `workers` at a time. Returns the results in the order of the cells; nil
    /// for cells that cannot run here and for those not begun before `shouldStop` returned true. Calls `finished` after
    /// each cell, concurrently from several threads.
    package func run(
        _ places: [Int]? = nil, workers: Int, shouldStop: @Sendable () -> Bool,
        _ runCell: @Sendable (Cell) -> RunResult, finished: @Sendable (Int, RunResult) -> Void
    ) -> [RunResult?] {
        let places = places ?? Array(cells.indices)
        let results = Guarded<[RunResult?]>(Array(repeating: nil, count: cells.count))
        let next = Guarded(0)
        DispatchQueue.concurrentPerform(iterations: max(1, min(workers, places.count))) { _ in
            while !shouldStop() {
                let place = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                guard place < places.count else { return }
                let index = places[place]
                if cells[index].obstacle != nil { continue }
                let result = runCell(cells[index])
                results.withLock { $0[index] = result }
                finished(index, result)
            }
        }
        return results.withLock { $0 }
    }
}

import Bytes
import Exploration
import Foundation
import Machine
import Oracle
import Platform
import Runs
import Scenarios
import Targets

/// Targets × scenarios × seeds × parameters: what a night, or a first minute, runs.
package struct Matrix: Sendable {
    package struct Cell: Sendable {
        package var request: RunRequest
        /// What the cell must come to. A planted bug that is not found is an error of the harness; so is a loss that is
        /// known and no longer seen.
        package var expectation: Verdict
        /// Why a violation is expected.
        package var reason: String?
        /// The check that a finding of an expected violation must name.
        package var expectedCheck: Check?
        /// What each finding of an expected violation must have lost; a violation with another cause is unexpected.
        package var expectedLoss: ExpectedLoss?
        /// Why the cell cannot run on this machine.
        package var obstacle: String?

        /// Everything that decides what the cell does, in one line: cells with equal names do the same.
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

    /// Stands for the cells and their order: two matrices with equal fingerprints are the same one.
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
    /// - Parameter obstacle: what is missing of what a cell needs, if anything is; asked once for the same needs.
    package mutating func skip(_ obstacle: ([MachineNeed]) -> String?) {
        var known: [[MachineNeed]: String?] = [:]
        for index in cells.indices {
            let needs = cells[index].request.needs
            let answer = known[needs] ?? obstacle(needs)
            known[needs] = answer
            cells[index].obstacle = answer
        }
    }

    /// The same cells with other seeds, for one more round of a soak.
    package func round(_ number: UInt64) -> [Cell] {
        cells.map { cell in
            var cell = cell
            cell.request.seed = cell.request.seed &+ number
            return cell
        }
    }

    /// The cells and what came of them.
    package func rows(_ results: [RunResult?]) -> [MatrixRow] {
        zip(cells, results).map { MatrixRow($0, $1) }
    }

    /// Runs the cells at these places, `workers` at a time, and answers the results in the order of the cells.
    /// `finished` is called from several threads, as each ends. Cells that cannot run here, and those that had not begun
    /// when `shouldStop` turned true, have no result.
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

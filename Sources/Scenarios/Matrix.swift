import Foundation
import Model
import Oracle
import Synchronization
import Targets

/// Targets × scenarios: what a night, or a first minute, runs.
package struct Matrix: Sendable {
    package struct Cell: Sendable {
        package var request: RunRequest
        /// What the cell must come to. A planted bug that is not found is an error of the harness; so is a loss that is
        /// known and no longer seen.
        package var expectation: Verdict
        /// Why a violation is expected.
        package var reason: String?
        /// What each finding of an expected violation must have lost; a violation with another cause is unexpected.
        package var expectedLoss: String?
        /// Why the cell cannot run on this machine.
        package var obstacle: String?
    }

    package var cells: [Cell]

    package init(cells: [Cell]) { self.cells = cells }

    /// The built-in engine and SQLite under every scenario that works here, and a planted bug that must be found.
    package static func standard(_ targets: TargetCatalog, seed: UInt64, profile: Profile) throws(TargetError)
        -> Matrix
    {
        func request(_ name: String, _ settings: [Setting], _ scenario: Scenario) throws(TargetError) -> RunRequest {
            let target = try targets.target(name).configured(settings)
            var request = RunRequest(
                target: target, scenario: scenario, profile: profile, contract: target.contract, seed: seed)
            // A first look, not a night: what is left out is said.
            request.exploration.budgetSeconds = 8
            return request
        }
        func sqlite(_ mode: String, _ synchronous: String) -> [Setting] {
            [Setting(name: "journal_mode", value: mode), Setting(name: "synchronous", value: synchronous)]
        }
        var cells: [Cell] = []
        for settings in [sqlite("delete", "full"), sqlite("delete", "extra"), sqlite("wal", "full")] {
            cells.append(Cell(request: try request("sqlite", settings, .smoke), expectation: .pass))
            cells.append(Cell(request: try request("sqlite", settings, .kill), expectation: .pass))
            let loses = settings == sqlite("delete", "full")
            let known = loses ? "known: the unlink of the journal is not durable" : nil
            for scenario in [Scenario.powerCut, .explore] {
                cells.append(
                    Cell(
                        request: try request("sqlite", settings, scenario), expectation: loses ? .violation : .pass,
                        reason: known, expectedLoss: loses ? "removal of the name a.db-journal" : nil))
            }
        }
        cells.append(Cell(request: try request("engine", [], .smoke), expectation: .pass))
        cells.append(Cell(request: try request("engine", [], .kill), expectation: .pass))
        cells.append(Cell(request: try request("engine", [], .powerCut), expectation: .pass))
        cells.append(Cell(request: try request("engine", [], .explore), expectation: .pass))
        let planted = [Setting(name: "planted", value: "ack-before-sync")]
        cells.append(
            Cell(
                request: try request("engine", planted, .powerCut), expectation: .violation,
                reason: "planted: acknowledges before the sync", expectedLoss: "write #-#.log"))
        return Matrix(cells: cells)
    }

    /// One verdict for all: pass when every cell that can run here came out as expected. A violation that nobody expected outranks
    /// everything but an error of the harness; one that was expected and is missing is such an error.
    package func verdict(_ results: [RunResult?]) -> Verdict {
        // When nothing could run, nothing was shown.
        var worst = cells.allSatisfy { $0.obstacle != nil } ? Verdict.inconclusive : .pass
        for (cell, result) in zip(cells, results) where cell.obstacle == nil {
            let seen = result.flatMap { Verdict(rawValue: $0.verdict) } ?? .inconclusive
            guard !cell.isMet(by: result) else { continue }
            let isMissed = cell.expectation == .violation && seen == .pass
            let counted = isMissed ? Verdict.harnessError : seen
            if counted.gravity > worst.gravity { worst = counted }
        }
        return worst
    }

    /// Marks the cells of scenarios that cannot run here, by name.
    package mutating func skip(_ obstacles: [String: String]) {
        for index in cells.indices { cells[index].obstacle = obstacles[cells[index].request.scenario.rawValue] }
    }

    /// Runs every cell, `workers` at a time, and answers the results in the order of the cells. `finished` is called
    /// from several threads, as each ends. Cells that cannot run here, and those that had not begun when `shouldStop`
    /// turned true, have no result.
    package func run(
        workers: Int, shouldStop: @Sendable () -> Bool, _ runCell: @Sendable (Cell) -> RunResult,
        finished: @Sendable (Int, RunResult) -> Void
    ) -> [RunResult?] {
        let results = Mutex<[RunResult?]>(Array(repeating: nil, count: cells.count))
        let next = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: max(1, min(workers, cells.count))) { _ in
            while !shouldStop() {
                let index = next.withLock { next in
                    defer { next += 1 }
                    return next
                }
                guard index < cells.count else { return }
                if cells[index].obstacle != nil { continue }
                let result = runCell(cells[index])
                results.withLock { $0[index] = result }
                finished(index, result)
            }
        }
        return results.withLock { $0 }
    }
}

extension Matrix.Cell {
    /// Whether the cell came out as expected, for the expected cause.
    package func isMet(by result: RunResult?) -> Bool {
        guard let result, result.verdict == expectation.rawValue else { return false }
        guard let expectedLoss else { return true }
        return result.findings.allSatisfy { $0.lossKinds.contains(expectedLoss) }
    }
}

extension Verdict {
    fileprivate var gravity: Int {
        switch self {
        case .pass: 0
        case .inconclusive: 1
        case .violation: 2
        case .harnessError: 3
        }
    }
}

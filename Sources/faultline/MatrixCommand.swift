import ArgumentParser
import Oracle
import Report
import Scenarios
import Synchronization
import Targets

struct MatrixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "matrix",
        abstract: "Runs the built-in targets under every scenario that works here.",
        discussion: """
            The default matrix holds SQLite in three configurations and the built-in engine, without faults and under \
            power cuts, and an engine with a planted bug, which must be found. Cells whose violation is known are marked \
            as expected: the matrix passes when every cell comes out as expected, so that it can be run in CI.
            """)

    @Option(help: "How many cells run at once.")
    var jobs = 2

    @Flag(help: "Make it an error (2) when a scenario cannot run here, instead of skipping its cells.")
    var require = false

    @OptionGroup var options: RunOptions

    func validate() throws {
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs must be from 1 to 64") }
    }

    func run() throws {
        var matrix = try Matrix.standard(
            .besideThisProgram(), seed: options.seed, profile: options.profile)
        for index in matrix.cells.indices {
            matrix.cells[index].request.operationCount = options.operationCount
            if let cycles = options.cycles { matrix.cells[index].request.cycles = cycles }
        }
        matrix.skip(try obstacles())
        let progress = Progress()
        let session = options.session
        let done = Atomic<Int>(0)
        let count = matrix.cells.count
        let results = matrix.run(
            workers: jobs, shouldStop: { Interruption.shared.isInterrupted },
            { cell in
                session.run(cell.request) { text in
                    progress.show("\(done.load(ordering: .relaxed)) of \(count): \(cell.request.target.label), \(text)")
                }
            }, finished: { _, _ in done.add(1, ordering: .relaxed) })
        progress.clear()
        let report = MatrixReport(matrix, results)
        if options.json { try JSONOutput.printObject(report) } else { print(report.text(for: .output), terminator: "") }
        Interruption.shared.waitIfInterrupted()
        throw ExitStatus(matrix.verdict(results))
    }

    /// What keeps scenarios from running here, by their names.
    private func obstacles() throws -> [String: String] {
        let diagnoses = Interruption.shared.awaiting { Doctor(driver: DoctorCommand.driver()).diagnose() }
            .filter { !$0.isPossible }
        let obstacles = Dictionary(uniqueKeysWithValues: diagnoses.map { ($0.scenario, $0.obstacle) })
        guard require, let missing = Scenario.allCases.first(where: { obstacles[$0.rawValue] != nil }) else {
            return obstacles
        }
        throw ValidationError("\(missing.rawValue) cannot run here: \(obstacles[missing.rawValue] ?? "")")
    }
}

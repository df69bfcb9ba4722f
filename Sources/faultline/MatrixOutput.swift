import ArgumentParser
import Bytes
import Foundation
import Oracle
import Report
import Scenarios

/// How a matrix is reported, by `matrix` and by `merge`.
struct MatrixOutput: ParsableArguments {
    @Option(help: "Write JUnit XML to this file.")
    var junit: String?

    @Flag(help: "Show the planted bugs that were found, too: a line and a story each.")
    var all = false

    @Flag(help: "Append a table to the file that GITHUB_STEP_SUMMARY names.")
    var githubSummary = false

    func validate() throws {
        guard githubSummary, ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"] == nil else { return }
        throw ValidationError("--github-summary: GITHUB_STEP_SUMMARY is not set; it is in a GitHub workflow")
    }

    /// Prints and writes everything, and answers the exit status.
    func report(_ rows: [MatrixRow], json: Bool) throws -> ExitStatus {
        let report = MatrixReport(rows)
        if json {
            try JSONOutput.printObject(report)
        } else {
            print(report.text(for: .output, showsAll: all), terminator: "")
        }
        if let junit { try JUnitReport.text(rows).write(toFile: junit, atomically: true, encoding: .utf8) }
        if githubSummary, let path = ProcessInfo.processInfo.environment["GITHUB_STEP_SUMMARY"] {
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data(GitHubSummary.text(rows).utf8))
            try file.close()
        }
        return ExitStatus(MatrixRow.verdict(of: rows))
    }
}

import ArgumentParser
import Bytes
import Glibc
import Oracle
import Report
import Scenarios
import Storage

/// How a matrix is reported, by `matrix` and by `merge`.
struct MatrixOutput: ParsableArguments {
    @Option(help: "Write JUnit XML to this file. `-` is standard output; the table then goes to standard error.")
    var junit: ByteString?

    @Flag(help: "Show the planted bugs that were found, too: a line and a story each.")
    var all = false

    @Flag(help: "Append a table to the file that GITHUB_STEP_SUMMARY names.")
    var githubSummary = false

    func validate() throws {
        guard !githubSummary || summaryPath != nil else {
            throw ValidationError("--github-summary: GITHUB_STEP_SUMMARY is not set; it is in a GitHub workflow")
        }
    }

    private var summaryPath: ByteString? {
        guard githubSummary, let value = getenv("GITHUB_STEP_SUMMARY"), value.pointee != 0 else { return nil }
        return ByteString(UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    /// Opens the files of the reports: that one cannot be written is said before hours of work, and not after them.
    ///
    /// - Parameter inputs: what the command reads, which no report may replace.
    func open(reading inputs: [ByteString], json: Bool) throws -> MatrixReports {
        let junit = try junit.map { try OutputFile($0, .replace) }
        let summary = try summaryPath.map { try OutputFile($0, .append) }
        for output in [junit, summary] { try output?.refuse(inputs: inputs) }
        if let junit, let summary { try junit.refuse(same: summary) }
        if json, junit?.isStandardOutput == true {
            throw ValidationError("--json and --junit both go to standard output: give --junit a file")
        }
        return MatrixReports(junit: junit, summary: summary, showsAll: all)
    }
}

/// The open files of a matrix's reports.
struct MatrixReports {
    fileprivate let junit: OutputFile?
    fileprivate let summary: OutputFile?
    fileprivate let showsAll: Bool

    /// A report that could not be written, after everything was run.
    struct Failure: Error, CustomStringConvertible {
        var reasons: [OutputError]
        /// The files that hold the results.
        var kept: [ByteString]
        /// The command that writes the reports again.
        var again: String?

        var description: String {
            let kept = kept.map(\.description).joined(separator: ", ")
            return reasons.map(\.description).joined(separator: "; ") + "; the results are in \(kept)"
                + (again.map { "; write the reports again, with another path, with: \($0)" } ?? "")
        }
    }

    /// Prints and writes everything, and answers the exit status.
    ///
    /// - Parameters:
    ///   - kept: the files that hold the results.
    ///   - again: the command that writes the reports again.
    func write(
        _ rows: [MatrixRow], json: Bool, keptIn kept: [ByteString], again: String? = nil
    ) throws -> ExitStatus {
        let report = MatrixReport(rows)
        if json {
            try StandardOutput.show(report, .object)
        } else if junit?.isStandardOutput == true {
            StandardError.write(report.text(for: .error, showsAll: showsAll))
        } else {
            StandardOutput.write(report.text(for: .output, showsAll: showsAll))
        }
        var failures: [OutputError] = []
        // One that fails must not cost the other.
        for (file, text) in [(junit, JUnitReport.text), (summary, GitHubSummary.text)] {
            guard let file else { continue }
            do throws(OutputError) {
                try file.write(Array(text(rows).utf8))
                try file.commit()
            } catch {
                failures.append(error)
            }
        }
        guard failures.isEmpty else { throw Failure(reasons: failures, kept: kept, again: again) }
        return ExitStatus(MatrixRow.verdict(of: rows))
    }
}

import Bytes
import Machine
import Report
import Scenarios
import Storage

/// The open files of a command's reports.
struct OpenReports {
    struct Report {
        /// The option that requests the report.
        let flag: String
        let reporter: any Reporter.Type
        let file: OutputFile

        init(flag: String, _ reporter: any Reporter.Type, _ file: OutputFile) {
            self.flag = flag
            self.reporter = reporter
            self.file = file
        }
    }

    let reports: [Report]
    let printsJSON: Bool

    /// Whether one of them is an HTML page, which shows more than the printed text.
    var haveAPage: Bool { reports.contains { $0.reporter == HTMLReporter.self } }

    /// Throws if a report would replace the results log.
    func refuse(log: ByteString) throws(OutputError) {
        for report in reports { try report.file.requireNot(output: log) }
    }

    /// A report could not be written after the run.
    struct Failure: Error, CustomStringConvertible {
        var reasons: [OutputError]
        /// The files or directories that hold the results.
        var kept: [ByteString]
        /// The command that writes the reports again.
        var again: String?

        var description: String {
            let kept = kept.map(\.description).joined(separator: ", ")
            return reasons.map(\.description).joined(separator: "; ")
                + (kept.isEmpty ? "" : "; the results are in \(kept)")
                + (again.map { "; write the reports again, with another path, with: \($0)" } ?? "")
        }
    }

    /// Prints the results and writes every report.
    ///
    /// - Parameters:
    ///   - kept: the files or directories that hold the results.
    ///   - again: the command that writes the reports again.
    func write(_ subject: some ReportSubject, keptIn kept: [ByteString] = [], again: String? = nil) throws {
        if printsJSON {
            try StandardOutput.show(subject, .object)
        } else if reports.contains(where: \.file.isStandardOutput) {
            StandardError.write(subject.text(for: .error))
        } else {
            StandardOutput.write(subject.text(for: .output))
        }
        var failures: [OutputError] = []
        // A failing report must not prevent the others.
        for report in reports {
            let bytes = try report.reporter.report(subject)
            do throws(OutputError) {
                try report.file.write(bytes)
                try report.file.commit()
            } catch {
                failures.append(error)
            }
        }
        guard failures.isEmpty else { throw Failure(reasons: failures, kept: kept, again: again) }
    }
}

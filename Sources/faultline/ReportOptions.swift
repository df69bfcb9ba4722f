import ArgumentParser
import Bytes
import Report
import Storage

/// The report options of every command with a verdict.
struct ReportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Write a report to a file, beside what is printed. Formats: \
            \(ReporterList.all.map { $0.format }.joined(separator: ", ")). Repeatable. `-` is standard output; what is printed \
            then goes to standard error.
            """, valueName: "format=file"))
    var report: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws { _ = try requests }

    private var requests: [(flag: String, reporter: any Reporter.Type, path: ByteString)] {
        get throws {
            try report.map { text in
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let formats = ReporterList.all.map { $0.format }.joined(separator: ", ")
                guard let reporter = ReporterList.named(String(parts[0])) else {
                    throw ValidationError("--report \(text): the format is one of \(formats), as in junit=report.xml")
                }
                guard parts.count == 2, let path = ByteString(argument: String(parts[1])) else {
                    throw ValidationError("--report \(text): name a file, as in \(parts[0])=FILE")
                }
                return ("--report \(parts[0])", reporter, path)
            }
        }
    }

    /// Opens the report files early, so that an unwritable one fails before hours of work.
    ///
    /// - Parameters:
    ///   - inputs: what the command reads, which no report may replace.
    ///   - others: reports that the command has flags of its own for.
    func open(reading inputs: [ByteString], and others: [OpenReports.Report] = []) throws -> OpenReports {
        let reports = try others + requests.map { .init(flag: $0.flag, $0.reporter, try OutputFile($0.path, .replace)) }
        for (index, report) in reports.enumerated() {
            try report.file.requireNot(inputs: inputs)
            if !report.file.isStandardOutput { try report.file.requireNotStandardOutput() }
            for other in reports[..<index] {
                if report.file.isStandardOutput, other.file.isStandardOutput {
                    throw ValidationError(
                        "\(other.flag) and \(report.flag) both go to standard output: give one a file")
                }
                try other.file.requireNot(sameAs: report.file)
            }
        }
        if json, let report = reports.first(where: \.file.isStandardOutput) {
            throw ValidationError("--json and \(report.flag) both go to standard output: give \(report.flag) a file")
        }
        return OpenReports(reports: reports, printsJSON: json)
    }
}

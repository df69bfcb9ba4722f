import ArgumentParser
import Bytes
import Glibc
import Report
import Storage

/// The report options that only `matrix` and `merge` have.
struct MatrixOutput: ParsableArguments {
    @Option(help: "Write JUnit XML to this file: the same as --report junit=FILE.")
    var junit: ByteString?

    @Flag(help: "Show the planted bugs that were found, too: a line and a story each.")
    var all = false

    @Flag(help: "Append a table to the file that GITHUB_STEP_SUMMARY names.")
    var githubSummary = false

    @Option(help: "Compare with this log of an earlier matrix: what is worse, better, new, gone, slower.")
    var against: ByteString?

    func validate() throws {
        guard !githubSummary || summaryPath != nil else {
            throw ValidationError("--github-summary: GITHUB_STEP_SUMMARY is not set; it is in a GitHub workflow")
        }
    }

    private var summaryPath: ByteString? {
        guard githubSummary, let value = getenv("GITHUB_STEP_SUMMARY"), value.pointee != 0 else { return nil }
        return ByteString(UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    /// The earlier matrix, read before the work.
    func earlier() throws -> MatrixTrend? { try against.map { try MatrixTrend($0, program: ProgramName.shown) } }

    /// Opens the report files early, so that an unwritable one fails before hours of work.
    ///
    /// - Parameter inputs: what the command reads, which no report may replace.
    func open(_ reports: ReportOptions, reading inputs: [ByteString]) throws -> OpenReports {
        var own: [OpenReports.Report] = []
        if let junit { own.append(.init(flag: "--junit", JUnitReporter.self, try OutputFile(junit, .replace))) }
        if let summaryPath {
            own.append(.init(flag: "--github-summary", MarkdownReporter.self, try OutputFile(summaryPath, .append)))
        }
        return try reports.open(reading: inputs + [against].compactMap(\.self), and: own)
    }
}

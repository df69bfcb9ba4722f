import ArgumentParser
import Bytes
import Matrices
import Report
import Scenarios

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Puts the shards of a matrix together again and reports them as one.",
        discussion: """
              faultline matrix night.yaml --shard 1/3      # on one machine; 2/3 and 3/3 on others
              faultline merge matrix-1.jsonl … --junit report.xml

            Shards of different matrices, a shard twice, a missing one and cells that are not finished are refused.
            """)

    @Argument(help: "The files of results that the shards wrote.")
    var files: [ByteString]

    @OptionGroup var output: MatrixOutput
    @OptionGroup var reports: ReportOptions

    func run() throws {
        let reports = try output.open(self.reports, reading: files)
        let earlier = try output.earlier()
        let rows = try MatrixLog.merge(files, program: ProgramName.shown)
        let report = MatrixReport(rows, showsAll: output.all, against: earlier)
        try reports.write(report, keptIn: files)
        throw ExitStatus(report.verdict)
    }
}

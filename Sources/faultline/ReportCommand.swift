import ArgumentParser
import Bytes
import Report
import Storage

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Makes one HTML file of runs, cases or a matrix that are there already.",
        discussion: """
              faultline report faultline-runs/faultline-sqlite-power-cut-1-1 -o finding.html
              faultline report RUN/cases/1 -o crash.html
              faultline report faultline-runs/matrix-2.jsonl --against faultline-runs/matrix-1.jsonl -o night.html

            The file holds all that it shows: it opens from disk, and loads nothing. Of a finding it has the timeline up \
            to the crash, and the files as the store believed them and as the crash left them, beside the states that \
            differ in one change. A matrix has a line for each cell, to be filtered and sorted. Nothing is run. Runs, \
            explorations, matrices and replays write the same with --report html=FILE.

            Exits with 0 when the file is written, whatever it shows, and with 2 when it cannot be.
            """)

    @Argument(help: "Directories of runs, directories of cases, or logs of a matrix (matrix-N.jsonl).")
    var paths: [ByteString]

    @Option(name: .shortAndLong, help: "The HTML file to write; `-` is standard output.")
    var output: ByteString

    @Option(help: "Compare the matrix with this log of an earlier one.")
    var against: ByteString?

    @Flag(help: "Show the findings of planted bugs that were found, too.")
    var all = false

    func run() throws {
        let file = try OutputFile(output, .replace)
        try file.requireNot(inputs: paths + [against].compactMap(\.self))
        let results = try KeptResults(paths, program: ProgramName.shown)
        try file.write(try results.html(against: against, showsAll: all))
        try file.commit()
        if !file.isStandardOutput { StandardOutput.show("\(output)") }
    }
}

import ArgumentParser
import Bytes
import Machine
import Matrices
import Report
import Runs
import Storage
import Targets

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Makes one HTML file of runs, cases or a matrix that are there already.",
        discussion: """
              faultline report faultline-runs/faultline-sqlite-power-cut-1-1 -o finding.html
              faultline report RUN/cases/1 -o crash.html
              faultline report faultline-runs/matrix-2.jsonl --against faultline-runs/matrix-1.jsonl -o night.html
              faultline report faultline-runs/matrix-2.jsonl --page track-record --notes notes.yaml -o track-record.md

            The file holds all that it shows: it opens from disk, and loads nothing. Of a finding it has the timeline up \
            to the crash, and the files as the store believed them and as the crash left them, beside the states that \
            differ in one change. A matrix has a line for each cell, to be filtered and sorted. Nothing is run. Runs, \
            explorations, matrices and replays write the same with --report html=FILE.

            --page makes a page of Markdown of a matrix instead: track-record (what stores promise, and what was found), \
            published-bugs, or fsync-failures (docs/targets.md). Of several logs the last one with a cell counts. It exits \
            with 3 if something is missing, such as a note on a finding.

            Exits with 0 when the file is written, whatever it shows, and with 2 when it cannot be.
            """)

    @Argument(help: "Directories of runs, directories of cases, or logs of a matrix (matrix-N.jsonl).")
    var paths: [ByteString]

    @Option(name: .shortAndLong, help: "The file to write; `-` is standard output.")
    var output: ByteString

    @Option(help: "Compare the matrix with this log of an earlier one.")
    var against: ByteString?

    @Flag(help: "Show the findings of planted bugs that were found, too.")
    var all = false

    @Option(
        help: ArgumentHelp(
            "Make this page of Markdown: \(MatrixPages.all.map { $0.name }.joined(separator: ", ")).", valueName: "name"
        ))
    var page: String?

    @Option(help: ArgumentHelp("A file of notes on the findings, for --page.", valueName: "file"))
    var notes: ByteString?

    func validate() throws {
        if let page, !MatrixPages.all.contains(where: { $0.name == page }) {
            throw ValidationError(
                "there is no page \(page); pages: \(MatrixPages.all.map { $0.name }.joined(separator: ", "))")
        }
        guard page != nil || notes == nil else { throw ValidationError("--notes is for --page") }
        guard page == nil || against == nil && !all else {
            throw ValidationError("--page excludes --against and --all")
        }
    }

    /// The rows of the logs with their targets; of equal cells the last.
    private func pageRows() throws -> [PageRow] {
        let catalog = try TargetCatalog.besideThisProgram()
        let working = RunResult.folder(of: try ByteString("here").absolutePath().shown)
        var rows: [PageRow] = []
        for path in paths {
            let folder = RunResult.folder(of: try path.absolutePath().shown)
            for (_, row) in try MatrixLog.read(path, program: "faultline").rows.sorted(by: { $0.key < $1.key }) {
                let reference =
                    row.manifest.map { folder + $0 } ?? row.target.split(separator: " ").first.map(String.init) ?? ""
                let one = PageRow(row, try catalog.target(reference), folder: working)
                if let known = rows.firstIndex(where: { $0.row.name == row.name }) {
                    rows[known] = one
                } else {
                    rows.append(one)
                }
            }
        }
        return rows
    }

    private func writePage(_ type: any MatrixPage.Type, _ file: OutputFile) throws {
        let page = type.init(try pageRows(), try notes.map(FindingNote.list) ?? [])
        try file.write(Array(page.text.utf8))
        try file.commit()
        for gap in page.gaps { StandardError.say(gap) }
        if !file.isStandardOutput { StandardOutput.show("\(output)") }
        guard page.gaps.isEmpty else { throw ExitStatus(.inconclusive) }
    }

    func run() throws {
        if let type = MatrixPages.all.first(where: { $0.name == page }) {
            let file = try OutputFile(output, .replace)
            try file.requireNot(inputs: paths + [notes].compactMap(\.self))
            return try writePage(type, file)
        }
        let file = try OutputFile(output, .replace)
        try file.requireNot(inputs: paths + [against].compactMap(\.self))
        let results = try KeptResults(paths, program: ProgramName.shown)
        try file.write(try results.html(against: against, showsAll: all))
        try file.commit()
        if !file.isStandardOutput { StandardOutput.show("\(output)") }
    }
}

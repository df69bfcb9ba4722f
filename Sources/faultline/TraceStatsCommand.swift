import ArgumentParser
import Bytes
import Exploration
import Report

struct TraceStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Counts what a trace holds, by kind of event and by file.")

    @Argument(help: "The trace file.")
    var file: ByteString

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        var walk = try TraceWalk(file)
        var statistics = TraceStatistics()
        while let (event, line) = try walk.next() { statistics.count(event, line) }
        guard !json else { return try StandardOutput.show(statistics, .object) }
        let (whole, files) = statistics.tables()
        StandardOutput.write(whole.text(for: .output) + "\n")
        StandardOutput.write(files.text(for: .output))
    }
}

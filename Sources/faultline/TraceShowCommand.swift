import ArgumentParser
import Bytes
import Exploration
import Report

struct TraceShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Prints the events of a trace, a line each.",
        discussion: """
            The number in front is the crash point right after the event. Paths are those that running programs saw \
            then. Names are bytes: what is not printable is shown as \\xNN. Oracle lines are told as in the stories of \
            findings, numbered from the beginning of the trace; --json has them as they are.
            """)

    @Argument(help: "The trace file.")
    var file: ByteString

    @Option(help: "The first crash point to show.")
    var from = 1

    @Option(help: "How many events to show at most.")
    var limit: Int?

    @Flag(help: "Print JSONL: one object a line.")
    var json = false

    @Flag(help: "With --json: include the data of writes, in base64.")
    var data = false

    func validate() throws {
        if from < 1 { throw ValidationError("--from is a crash point after an event: 1 or more.") }
        if let limit, limit < 0 { throw ValidationError("--limit is how many events to show: 0 or more.") }
        if data && !json { throw ValidationError("--data goes with --json.") }
    }

    func run() throws {
        var walk = try TraceWalk(file)
        var left = limit ?? .max
        while left > 0, let (event, line) = try walk.next() {
            guard line.point >= from else { continue }
            left -= 1
            if json {
                try printObject(line, try walk.oracleLine(event), walk)
            } else {
                StandardOutput.show("\(line.text(oracleLine: try walk.oracleLine(event)))")
            }
        }
    }

    private func printObject(_ line: TraceLine, _ oracleLine: ByteString?, _ walk: TraceWalk) throws {
        let bytes = try data ? line.data.map(walk.reader.bytes(of:)) : nil
        try StandardOutput.show(
            Object(line: line, oracleLine: oracleLine?.description, data: bytes.map { Base64.text($0) }), .line)
    }

    /// A line with data that only the file has.
    private struct Object: Encodable {
        var line: TraceLine
        var oracleLine: String?
        var data: String?

        private enum Key: String, CodingKey { case line, data }

        func encode(to encoder: any Encoder) throws {
            try line.encode(to: encoder)
            var fields = encoder.container(keyedBy: Key.self)
            try fields.encodeIfPresent(oracleLine, forKey: .line)
            try fields.encodeIfPresent(data, forKey: .data)
        }
    }
}

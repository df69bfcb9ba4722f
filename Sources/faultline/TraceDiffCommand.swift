import ArgumentParser
import Bytes
import Exploration
import Model
import Report

struct TraceDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compares two traces event by event, and shows where they first differ.",
        discussion: """
            Events are the same when they do the same to the same paths with the same data; processes, inode numbers \
            and the files' layout do not count. Exits with 0 when the traces are the same, with 1 when they differ.
            """)

    @Argument(help: "A trace file.")
    var left: ByteString

    @Argument(help: "Another one.")
    var right: ByteString

    /// The number of equal events shown before the difference.
    private static let context = 3

    func run() throws {
        var leftWalk = try TraceWalk(left)
        var rightWalk = try TraceWalk(right)
        var same: [String] = []
        while true {
            let (one, other) = (try leftWalk.next(), try rightWalk.next())
            if same.isEmpty, try leftWalk.baseHash() != rightWalk.baseHash() {
                StandardOutput.show("the trees before the run differ")
                throw ExitStatus.violation
            }
            if one == nil && other == nil { return try end(leftWalk, rightWalk) }
            let texts = (try Self.text(one, leftWalk), try Self.text(other, rightWalk))
            if one?.line.summary == other?.line.summary, one?.line.operation == other?.line.operation,
                try Self.data(one, leftWalk) == Self.data(other, rightWalk)
            {
                same = (same + [texts.0]).suffix(Self.context)
                continue
            }
            for line in same { StandardOutput.show("  \(line)") }
            StandardOutput.show("- \(texts.0)")
            let note = texts.0 == texts.1 ? "    (other data)" : ""
            StandardOutput.show("+ \(texts.1)\(note)")
            throw ExitStatus.violation
        }
    }

    private func end(_ left: TraceWalk, _ right: TraceWalk) throws {
        if left.ending == right.ending || left.ending != "whole" && right.ending != "whole" {
            return StandardOutput.show("the traces are the same")
        }
        StandardOutput.show([
            "the events are the same, and the ends are not:", "- \(left.ending)", "+ \(right.ending)",
        ])
        throw ExitStatus.violation
    }

    private typealias Told = (event: TraceEvent, line: TraceLine)?

    private static func text(_ told: Told, _ walk: TraceWalk) throws -> String {
        guard let told else { return "(the trace ends)" }
        return told.line.text(oracleLine: try walk.oracleLine(told.event))
    }

    private static func data(_ told: Told, _ walk: TraceWalk) throws -> [UInt8]? {
        try told?.line.data.map { try walk.reader.bytes(of: $0) }
    }
}

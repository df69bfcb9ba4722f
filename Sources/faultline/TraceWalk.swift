import Bytes
import Exploration
import Machine
import Model
import Report
import Scenarios
import Storage

/// The events of a trace file with their lines, as the subcommands of `trace` go through them.
struct TraceWalk {
    let reader: TraceReader
    private var cursor: TraceCursor
    private var narrator = TraceNarrator()
    private var base: [BaseRecord] = []

    init(_ path: ByteString) throws(TraceFileError) {
        reader = try TraceReader(path: path)
        cursor = reader.cursor()
    }

    /// The next event; `nil` at the end, which is said on standard error if it is not whole. Throws when not even the base
    /// tree is there.
    mutating func next() throws -> (event: TraceEvent, line: TraceLine)? {
        while let record = try cursor.next() {
            switch record {
            case .base(let record):
                narrator.follow(record)
                base.append(record)
            case .event(let event): return (event, narrator.narrate(event))
            }
        }
        guard cursor.isBaseComplete else { throw TraceFileError.baseMissing(path: reader.path, cursor.ending) }
        if cursor.ending != .whole {
            StandardError.say("faultline: \(reader.path): \(cursor.ending)")
        }
        return nil
    }

    /// What the tree before the run looks like, whatever its inode numbers are. To be asked after `next`.
    func baseHash() throws -> StateHash {
        try (base.isEmpty ? Tree() : Tree(baseRecords: base)).hash(payloads: reader)
    }

    /// How the trace ends. To be asked after `next` answered `nil`.
    var ending: String { cursor.ending == .whole ? "whole" : "\(cursor.ending)" }

    /// The text of an oracle line; `nil` for every other event.
    func oracleLine(_ event: TraceEvent) throws -> ByteString? {
        guard case .oracle(let payload) = event else { return nil }
        return ByteString(try reader.bytes(of: payload))
    }
}

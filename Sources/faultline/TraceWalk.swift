import Bytes
import Exploration
import Machine
import Model
import Report
import Scenarios
import Storage

/// Iterates over the events of a trace file with their lines, for the subcommands of `trace`.
struct TraceWalk {
    let reader: TraceReader
    private var cursor: TraceCursor
    private var narrator = TraceNarrator()
    private var base: [BaseRecord] = []

    init(_ path: ByteString) throws(TraceFileError) {
        reader = try TraceReader(path: path)
        cursor = reader.cursor()
    }

    /// The next event; nil at the end. Reports a truncated trace on standard error. Throws if the base tree is
    /// incomplete.
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

    /// The hash of the tree before the run, independent of inode numbers. Call after `next`.
    func baseHash() throws -> StateHash {
        try (base.isEmpty ? Tree() : Tree(baseRecords: base)).hash(payloads: reader)
    }

    /// The ending of the trace. Read after `next` has returned nil.
    var ending: String { cursor.ending == .whole ? "whole" : "\(cursor.ending)" }

    /// The text of an oracle line; nil for every other event.
    func oracleLine(_ event: TraceEvent) throws -> ByteString? {
        guard case .oracle(let payload) = event else { return nil }
        return ByteString(try reader.bytes(of: payload))
    }
}

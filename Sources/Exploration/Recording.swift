import Bytes
import Model
import Storage

/// One recorded run, ready to be crashed: the tree it began with, its events, and where their data is.
package struct Recording: Sendable {
    package var base: Tree
    package var events: [TraceEvent]
    package var payloads: any PayloadStore

    package init(base: Tree, events: [TraceEvent], payloads: any PayloadStore) {
        self.base = base
        self.events = events
        self.payloads = payloads
    }

    /// Reads a trace file. One that ends early is read as far as it goes; one that ends within its base tree derives
    /// nothing and is an error.
    package init(tracePath: ByteString) throws {
        let reader = try TraceReader(path: tracePath)
        let trace = try reader.load()
        self.init(
            base: trace.base, events: trace.events,
            payloads: try reader.payloads(keepingAtMost: Recording.keptInMemoryBytes))
    }

    /// The data of a trace file up to this size is read once, and not again for each state.
    private static let keptInMemoryBytes: UInt64 = 64 << 20

    /// The oracle's lines in order: where each stands in the trace, and where its bytes are.
    package var oracleLines: [(crashPoint: Int, line: Payload)] {
        events.enumerated().compactMap { index, event in
            if case .oracle(let line) = event { (index + 1, line) } else { nil }
        }
    }
}

/// Why a recording cannot be explored.
package enum RecordingError: Error, Hashable, Sendable {
    /// A crash point beyond the trace's end.
    case crashPointBeyondTrace(Int, eventCount: Int)
    /// The system gives no more memory to know the states by that were met.
    case noMemory(sizeBytes: Int)
}

extension RecordingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .crashPointBeyondTrace(let point, let count):
            "crash point \(point) is beyond the trace, which has \(count.counted("event"))"
        case .noMemory(let size):
            "there is no memory for more crash states (\(size) bytes were asked for): limit them with --states, or --budget"
        }
    }
}

import Exploration
import Model
import Runs

/// Chooses places for power cuts from the recording of a run without one. Creates, renames and unlinks mark the
/// rotations, compactions and checkpoints of a store.
struct CutPlanner {
    private let eventCount: Int
    /// The number of operations on names, by kind, after the first oracle line.
    private var counts: [Injection.OtherKind: UInt64] = [:]

    /// - Parameter recording: a run without a power cut, from the first open to the close.
    package init(_ recording: Recording) {
        eventCount = recording.events.count
        // Skip the creation of the store, which comes before the first oracle line: later lives do not repeat it.
        let beginning = recording.oracleLines.first?.crashPoint ?? 0
        for case .operation(let operation) in recording.events[beginning...] {
            switch operation.change {
            case .create(_, .regular, _, _): counts[.create, default: 0] += 1
            case .rename: counts[.rename, default: 0] += 1
            case .unlink: counts[.unlink, default: 0] += 1
            default: break
            }
        }
    }

    /// A random place in this phase, drawn from `stream`; nil if the recording has no such operation.
    package func place(_ phase: CutAim.Phase, _ stream: inout RandomStream) -> CutPlacement? {
        guard let kind = phase.operation else { return CutPlacement(event: Self.draw(eventCount, &stream)) }
        guard let count = counts[kind], let number = AtLeastOne(1 + stream.next(upperBound: count)) else { return nil }
        return CutPlacement(kind, number: number, stream.chance(1, in: 2) ? .before : .after)
    }

    /// A random place in a recovery of `eventCount` events, before its last one: the recovery is still running then.
    package static func place(inRecoveryOf eventCount: Int, _ stream: inout RandomStream) -> CutPlacement? {
        eventCount > 0 ? CutPlacement(event: draw(max(1, eventCount - 1), &stream)) : nil
    }

    private static func draw(_ count: Int, _ stream: inout RandomStream) -> Int {
        Int(stream.next(upperBound: UInt64(max(1, count)))) + 1
    }
}

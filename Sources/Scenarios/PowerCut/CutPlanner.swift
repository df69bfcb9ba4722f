import Exploration
import Model
import Runs

/// Places cuts by what a life without a cut did: any store's names say when it rotates, compacts or takes a checkpoint.
struct CutPlanner {
    private let eventCount: Int
    /// How often each kind of operation on names was done once the work had begun.
    private var counts: [Injection.OtherKind: UInt64] = [:]

    /// - Parameter recording: of a whole life.
    package init(_ recording: Recording) {
        eventCount = recording.events.count
        // What comes before the first line makes the store, and no later life does it again.
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

    /// A place of this kind by a seeded draw; nil when the work does nothing of the kind.
    package func place(_ phase: CutAim.Phase, _ stream: inout RandomStream) -> CutPlacement? {
        guard let kind = phase.operation else { return CutPlacement(event: Self.draw(eventCount, &stream)) }
        guard let count = counts[kind], let number = AtLeastOne(1 + stream.next(upperBound: count)) else { return nil }
        return CutPlacement(kind, number: number, stream.chance(1, in: 2) ? .before : .after)
    }

    /// A place in a recovery that came to so many events: before its last, so that it finds the store recovering.
    package static func place(inRecoveryOf eventCount: Int, _ stream: inout RandomStream) -> CutPlacement? {
        eventCount > 0 ? CutPlacement(event: draw(max(1, eventCount - 1), &stream)) : nil
    }

    private static func draw(_ count: Int, _ stream: inout RandomStream) -> Int {
        Int(stream.next(upperBound: UInt64(max(1, count)))) + 1
    }
}

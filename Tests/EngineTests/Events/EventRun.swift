import Bytes
import Model
import Storage

@testable import Engine
@testable import Events

/// A recorded run of an event store, and the legal states after a crash.
final class EventRun {
    private struct Promise {
        /// From this event of the trace on.
        var event: Int
        var lastSequence: UInt64
        var checkpoint: UInt64
    }

    let storage: RecordingStorage
    let clock = TestClock()
    private(set) var appended: [(event: Event, arrival: UInt64)] = []
    private var promises: [Promise] = []
    /// The highest checkpoint that may be found from an event of the trace on.
    private var asked: [(event: Int, checkpoint: UInt64)] = []
    private let bug: PlantedBug?

    private init(_ bug: PlantedBug?) throws {
        storage = try RecordingStorage(MemoryStorage())
        self.bug = bug
    }

    /// Batches, checkpoints, truncations and reopens, over several segments.
    static func mixed(_ bug: PlantedBug? = nil) throws -> EventRun {
        let run = try EventRun(bug)
        var store = try run.open(run.storage)
        for round in 0..<12 {
            for batch in 0..<3 {
                let events = (0..<7).map { event(round * 100 + batch * 10 + $0) }
                run.appended += events.map { ($0, run.clock.now) }
                try store.append(contentsOf: events)
                run.promise(store)
            }
            // Until this one returns nothing is guaranteed about it.
            if round % 2 == 1 {
                let applied = max(store.lastSequence, 30) - 30
                run.asked.append((run.storage.eventCount, applied))
                try store.takeCheckpoint(at: applied)
                run.promise(store)
            }
            run.clock.advance(seconds: 40)
            if round % 4 == 3 { try store.truncateBeforeCheckpoint() }
            if round % 5 == 4 {
                try? store.close()
                store = try run.open(run.storage)
                run.promise(store)
            }
        }
        return run
    }

    private func open(_ storage: some Storage) throws -> EventStore {
        if let bug { return try EventStore.open(storage: storage, options: eager, clock: clock, planting: bug) }
        return try EventStore.open(storage: storage, options: eager, clock: clock)
    }

    /// The store acknowledges that all its current data is durable.
    private func promise(_ store: EventStore) {
        promises.append(
            Promise(
                event: storage.eventCount, lastSequence: store.lastSequence, checkpoint: store.checkpoint.sequence))
    }

    func explore(_ profile: Profile, seeds: Range<UInt64>, recovered: inout Int) throws -> [CrashFinding] {
        var pending = PendingSet(profile: profile, base: storage.base)
        var seen: Set<Tree> = []
        var findings: [CrashFinding] = []
        let choices = [Choice.nothing, .everything] + seeds.map { Choice.seeded($0) }
        for (index, event) in storage.events.enumerated() {
            pending.add(event)
            if promises.contains(where: { $0.event == index + 1 }) { seen = [] }
            for choice in choices {
                let tree = pending.tree(pending.survivors(choice))
                guard seen.insert(tree).inserted else { continue }
                recovered += 1
                if let reason = try judge(tree, at: index + 1) {
                    findings.append(CrashFinding(event: index + 1, choice: choice, reason: reason))
                }
            }
        }
        return findings
    }

    private func judge(_ tree: Tree, at event: Int) throws -> String? {
        let promise = promises.last { $0.event <= event }
        let least = promise?.lastSequence ?? 0
        let most = max(asked.last { $0.event <= event }?.checkpoint ?? 0, promise?.checkpoint ?? 0)
        do {
            let store = try open(try MemoryStorage(tree, payloads: storage.payloads))
            let checkpoint = store.checkpoint.sequence
            if checkpoint < promise?.checkpoint ?? 0 { return "the checkpoint fell back to \(checkpoint)" }
            if checkpoint > most { return "the checkpoint is \(checkpoint), and \(most) was the last asked for" }
            if store.lastSequence < least { return "event \(least) is gone" }
            let found = try store.list()
            let expected = appended.prefix(Int(store.lastSequence)).dropFirst(Int(checkpoint))
            if found.map(\.event) != expected.map(\.event) { return "not the events after \(checkpoint)" }
            if found.map(\.sequence) != Array((checkpoint + 1)..<(checkpoint + 1 + UInt64(found.count))) {
                return "other sequence numbers"
            }
            let inWindow = appended.prefix(Int(least)).filter { clock.now - $0.arrival <= 100_000_000_000 }
            if try store.append(contentsOf: inWindow.map(\.event)).contains(where: { $0 != 0 }) {
                return "a duplicate was taken"
            }
            return nil
        } catch {
            return "\(error)"
        }
    }
}

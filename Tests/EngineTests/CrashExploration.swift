import Bytes
import Engine
import Model
import Storage

/// A recorded run of a store with one writer, and the legal states after a crash: the state after each step.
///
/// Every step is one atomic change (a put, a delete, a batch). After a crash the store must hold the state after some
/// step that had begun, and after no earlier one than the last that was acknowledged.
final class RecordedRun {
    typealias State = [ByteString: [UInt8]]

    let storage: RecordingStorage
    /// The state before the first step, and after each.
    private(set) var states: [State]
    /// The event at which each step began, and the event at which each acknowledgement came, with the steps it covers.
    private var begins: [Int] = []
    private var acknowledgements: [(event: Int, steps: Int)] = []

    init(on contents: [ByteString: [UInt8]] = [:], initially state: State = [:]) throws {
        storage = try RecordingStorage(MemoryStorage(contents: contents))
        states = [state]
    }

    init(recording storage: RecordingStorage) {
        self.storage = storage
        states = [[:]]
    }

    func step(_ change: (inout State) -> Void, by call: () throws -> Void) rethrows {
        begins.append(storage.eventCount)
        var state = states.last!
        change(&state)
        states.append(state)
        try call()
    }

    /// The store acknowledges that everything up to here is durable.
    func acknowledge() { acknowledgements.append((storage.eventCount, states.count - 1)) }

    /// The states that a crash after `event` events may leave.
    func allowed(at event: Int) -> ArraySlice<State> {
        let least = acknowledgements.last { $0.event <= event }?.steps ?? 0
        let most = begins.prefix { $0 <= event }.count
        return states[least...max(least, most)]
    }
}

/// A crash state that the store did not survive.
struct CrashFinding: CustomStringConvertible {
    var event: Int
    var choice: Choice
    var reason: String
    var description: String { "crash after event \(event), \(choice): \(reason)" }
}

extension RecordedRun {
    /// Recovers some crash states after every event of the run and returns the failing ones. `recovered` counts the distinct
    /// states.
    func explore(
        _ profile: Profile, seeds: Range<UInt64>, options: KeyValueOptions = small, planting bug: PlantedBug? = nil,
        recovered: inout Int
    ) throws -> [CrashFinding] {
        var pending = PendingSet(profile: profile, base: storage.base)
        var seen: Set<Tree> = []
        var findings: [CrashFinding] = []
        let choices = [Choice.nothing, .everything] + seeds.map { Choice.seeded($0) }
        for (index, event) in storage.events.enumerated() {
            pending.add(event)
            let allowed = allowed(at: index + 1)
            for choice in choices {
                let tree = pending.tree(pending.survivors(choice))
                // The same tree may be correct now and wrong later; it is judged once for each event.
                guard seen.insert(tree).inserted else { continue }
                recovered += 1
                if let reason = try judge(tree, allowed, options, bug) {
                    findings.append(CrashFinding(event: index + 1, choice: choice, reason: reason))
                }
            }
            if self.allowed(at: index + 2) != allowed { seen.removeAll() }
        }
        return findings
    }

    private func judge(
        _ tree: Tree, _ allowed: ArraySlice<State>, _ options: KeyValueOptions, _ bug: PlantedBug?
    ) throws -> String? {
        do throws(EngineError) {
            let storage = try! MemoryStorage(tree, payloads: self.storage.payloads)
            let store = try open(storage, options, bug)
            guard let dump = try? store.dump() else { return "does not read" }
            return allowed.contains(dump) ? nil : "holds \(dump.count) keys that no allowed step had"
        } catch {
            return "does not open: \(error)"
        }
    }
}

func open(
    _ storage: some Storage, _ options: KeyValueOptions = small, _ bug: PlantedBug? = nil
) throws(EngineError) -> KeyValueStore {
    if let bug { return try KeyValueStore.open(storage: storage, options: options, planting: bug) }
    return try KeyValueStore.open(storage: storage, options: options)
}

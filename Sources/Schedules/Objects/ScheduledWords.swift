import Platform

/// Words under a scheduler.
///
/// A load may return an older value if neither the thread nor anything that it synchronised with has seen a newer one. This
/// is strong release/acquire (Lahav, Giannarakis and Vafeiadis, "Taming Release-Acquire Consistency", POPL 2016): what x86,
/// ARM and POWER guarantee for such code. The values of a word are ordered as they were stored.
///
/// An older value is an outcome of its own only if the newer one is ordered before the load by steps that do not synchronise;
/// otherwise the same happens when the load comes before the store, and that schedule is explored anyway.
public final class ScheduledWords: SharedWords, SharedObject, @unchecked Sendable {
    private struct Stored {
        var value: UInt64
        /// Who stored it, with which step; -1 for what was there before.
        var thread = -1
        var number: UInt32 = 0
        /// What a thread that loads it is guaranteed to see.
        var view = VectorClock()
    }

    private struct Queue: Hashable {
        var index: Int
        var room: WaitRoom
    }

    private let name: String
    private let count: Int
    /// For each word all its values, in order; none if it was never stored.
    private var values: [[Stored]]
    private var sleepers: [Queue: [Participant]] = [:]
    private let firstObject: Int

    public init(count: Int, name: StaticString) {
        self.name = name.description
        self.count = count
        values = Array(repeating: [], count: count)
        firstObject = Participant.current?.execution.newObject(count: 3 * count) ?? 0
    }

    private func latest(_ index: Int) -> Stored { values[index].last ?? Stored(value: 0) }

    private func access(_ index: Int, _ mode: Action.Mode) -> Action.Access {
        Action.Access(object: firstObject + index, mode: mode)
    }

    private func access(_ queue: Queue, _ mode: Action.Mode) -> Action.Access {
        Action.Access(object: firstObject + (1 + queue.room.rawValue) * count + queue.index, mode: mode)
    }

    // MARK: Loads and stores

    public func load(_ index: Int) -> UInt64 {
        guard let thread = Participant.scheduled else { return latest(index).value }
        let action = Action(kind: .load, accesses: [access(index, .read)])
        let choice = thread.execution.step(action, of: self, by: thread, .init(index: index))
        var stored = latest(index)
        if choice > 0 {
            stored = stale(index, for: thread)[choice - 1]
            thread.staleLoadsLeft -= 1
        }
        thread.view.join(stored.view)
        thread.execution.note(shown(index, stored.value) + (choice > 0 ? ", an older value" : ""))
        return stored.value
    }

    /// The older values that the thread may load, the newest first.
    private func stale(_ index: Int, for thread: Participant) -> [Stored] {
        let values = values[index]
        var found: [Stored] = []
        var position = values.count - 1
        while position >= 0 {
            let newer = values[position]
            let isSeen = newer.thread < 0 || thread.view.contains(newer.number, of: newer.thread)
            guard !isSeen, thread.clock.contains(newer.number, of: newer.thread) else { break }
            found.append(position > 0 ? values[position - 1] : Stored(value: 0))
            position -= 1
        }
        return found
    }

    public func store(_ value: UInt64, at index: Int) {
        guard let thread = Participant.scheduled else {
            values[index] = [Stored(value: value)]
            return
        }
        let action = Action(kind: .store, accesses: [access(index, .write)], changes: true)
        _ = thread.execution.step(action, of: self, by: thread, .init(index: index, value: value))
        append(value, index, thread)
    }

    private func append(_ value: UInt64, _ index: Int, _ thread: Participant) {
        values[index].append(
            Stored(value: value, thread: thread.index, number: thread.stepCount, view: thread.view))
    }

    public func exchange(at index: Int, expected: UInt64, desired: UInt64) -> Bool {
        guard let thread = Participant.scheduled else {
            if latest(index).value != expected { return false }
            values[index] = [Stored(value: desired)]
            return true
        }
        let action = Action(kind: .exchange, accesses: [access(index, .write)], changes: true)
        let operand = Participant.Operand(index: index, value: desired, expected: expected)
        let choice = thread.execution.step(action, of: self, by: thread, operand)
        let found = latest(index)
        if choice > 0 {
            thread.spuriousFailuresLeft -= 1
            thread.execution.note("fails for no reason")
            return false
        }
        guard found.value == expected else {
            thread.execution.note("fails: " + shown(index, found.value))
            return false
        }
        thread.view.join(found.view)
        append(desired, index, thread)
        thread.execution.note("done")
        return true
    }

    @discardableResult
    public func add(_ value: UInt64, at index: Int) -> UInt64 {
        guard let thread = Participant.scheduled else {
            let sum = latest(index).value &+ value
            values[index] = [Stored(value: sum)]
            return sum
        }
        let action = Action(kind: .add, accesses: [access(index, .write)], changes: true)
        _ = thread.execution.step(action, of: self, by: thread, .init(index: index, value: value))
        let found = latest(index)
        thread.view.join(found.view)
        append(found.value &+ value, index, thread)
        thread.execution.note(shown(index, found.value &+ value))
        return found.value &+ value
    }

    // MARK: Sleeping

    public func wait(at index: Int, while value: UInt64, in room: WaitRoom) {
        guard let thread = Participant.scheduled else {
            precondition(
                UInt32(truncatingIfNeeded: latest(index).value) != UInt32(truncatingIfNeeded: value),
                "a thread that is alone would sleep for ever")
            return
        }
        let queue = Queue(index: index, room: room)
        let action = Action(kind: .sleep, accesses: [access(index, .read), access(queue, .write)])
        let operand = Participant.Operand(index: 2 * index + room.rawValue, value: value)
        let choice = thread.execution.step(action, of: self, by: thread, operand)
        if choice > 0 {
            thread.spuriousWakesLeft -= 1
            return thread.execution.note("returns for no reason")
        }
        guard isUnchanged(index, value) else { return thread.execution.note("returns: the word has changed") }
        thread.execution.note("sleeps")
        thread.isWoken = false
        sleepers[queue, default: []].append(thread)
        _ = thread.execution.step(Action(kind: .resume, accesses: []), of: self, by: thread, operand)
    }

    private func isUnchanged(_ index: Int, _ value: UInt64) -> Bool {
        UInt32(truncatingIfNeeded: latest(index).value) == UInt32(truncatingIfNeeded: value)
    }

    public func wakeOne(at index: Int, in room: WaitRoom) { wake(.wakeOne, Queue(index: index, room: room)) }
    public func wakeAll(at index: Int, in room: WaitRoom) { wake(.wakeAll, Queue(index: index, room: room)) }

    private func wake(_ kind: Action.Kind, _ queue: Queue) {
        guard let thread = Participant.scheduled else { return }
        let action = Action(kind: kind, accesses: [access(queue, .write)], changes: true)
        let operand = Participant.Operand(index: 2 * queue.index + queue.room.rawValue)
        let choice = thread.execution.step(action, of: self, by: thread, operand)
        let waiting = sleepers[queue] ?? []
        let woken = kind == .wakeAll ? waiting : waiting.indices.contains(choice) ? [waiting[choice]] : []
        sleepers[queue] = waiting.filter { sleeper in !woken.contains { $0 === sleeper } }
        for sleeper in woken {
            sleeper.isWoken = true
            sleeper.clock.join(thread.clock)
        }
        let names = woken.map { thread.execution.threadNames[$0.index] }
        thread.execution.note(names.isEmpty ? "nobody sleeps there" : "wakes " + names.joined(separator: " and "))
    }

    // MARK: For the scheduler

    func isEnabled(_ thread: Participant) -> Bool { thread.pending.kind != .resume || thread.isWoken }

    func place(_ thread: Participant) -> SchedulePlace { .word(thread.operand.index / 2, of: name) }

    func choiceCount(_ thread: Participant) -> Int {
        let operand = thread.operand
        switch thread.pending.kind {
        case .load: return thread.staleLoadsLeft > 0 ? 1 + stale(operand.index, for: thread).count : 1
        case .exchange:
            let mayFail = thread.spuriousFailuresLeft > 0 && latest(operand.index).value == operand.expected
            return mayFail ? 2 : 1
        case .sleep:
            return thread.spuriousWakesLeft > 0 && isUnchanged(operand.index / 2, operand.value) ? 2 : 1
        case .wakeOne: return max(1, sleepers[queue(operand)]?.count ?? 0)
        default: return 1
        }
    }

    private func queue(_ operand: Participant.Operand) -> Queue {
        Queue(index: operand.index / 2, room: operand.index % 2 == 0 ? .even : .odd)
    }

    func title(_ thread: Participant) -> String {
        let operand = thread.operand
        switch thread.pending.kind {
        case .load: return "load \(word(operand.index))"
        case .store: return "store \(word(operand.index)): \(shown(operand.index, operand.value))"
        case .exchange:
            return "exchange \(word(operand.index)): \(shown(operand.index, operand.expected)) by "
                + shown(operand.index, operand.value)
        case .add: return "add \(Int64(bitPattern: operand.value)) to \(word(operand.index))"
        case .sleep: return "sleep on \(room(operand)) while \(shown(operand.index / 2, operand.value))"
        case .resume: return "wake up on \(room(operand))"
        case .wakeOne: return "wake one on \(room(operand))"
        case .wakeAll: return "wake all on \(room(operand))"
        default: return "\(thread.pending.kind)"
        }
    }

    private func room(_ operand: Participant.Operand) -> String {
        "\(word(operand.index / 2)), \(queue(operand).room) room"
    }

    private func word(_ index: Int) -> String {
        Participant.current?.execution.describeWord(name, index, nil) ?? (count == 1 ? name : "\(name) \(index)")
    }

    private func shown(_ index: Int, _ value: UInt64) -> String {
        Participant.current?.execution.describeWord(name, index, value) ?? "\(value)"
    }
}

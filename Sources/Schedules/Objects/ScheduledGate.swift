import Platform

/// A lock with a condition under a scheduler. Which waiting thread gets the lock is a decision; the lock is not fair.
public final class ScheduledGate: WaitGate, SharedObject, @unchecked Sendable {
    private let name: String
    private var owner: Participant?
    private var sleepers: [Participant] = []
    /// What the next owner is guaranteed to see.
    private var view = VectorClock()
    /// The object of the lock; the next one is that of its condition.
    private let object: Int

    public init(name: StaticString) {
        self.name = name.description
        object = Participant.current?.execution.newObject(count: 2) ?? 0
    }

    private func lockAccess(_ mode: Action.Mode) -> Action.Access { Action.Access(object: object, mode: mode) }
    private var condition: Action.Access { Action.Access(object: object + 1, mode: .write) }

    public func lock() {
        guard let thread = Participant.current else { return }
        if thread.isAlone {
            precondition(owner == nil, "the \(name) is still held, and a thread that is alone would wait for ever")
        } else {
            _ = thread.execution.step(Action(kind: .lock, accesses: [lockAccess(.acquire)]), of: self, by: thread)
        }
        take(thread)
    }

    private func take(_ thread: Participant) {
        owner = thread
        thread.view.join(view)
    }

    public func unlock() {
        guard let thread = Participant.current else { return }
        precondition(owner === thread, "the \(name) is released by a thread that does not hold it")
        if !thread.isAlone {
            thread.execution.forcedStep(
                Action(kind: .unlock, accesses: [lockAccess(.release)]), of: self, by: thread)
        }
        owner = nil
        view = thread.view
    }

    public func wait() { wait(nil) }
    public func wait(until deadlineNanoseconds: UInt64) { wait(deadlineNanoseconds) }

    private func wait(_ deadline: UInt64?) {
        guard let thread = Participant.current else { return }
        precondition(owner === thread, "a thread waits at the \(name) that does not hold it")
        if thread.isAlone {
            precondition(deadline != nil, "a thread that is alone would wait for ever at the \(name)")
            thread.execution.nanoseconds = max(thread.execution.nanoseconds, deadline ?? 0)
            return
        }
        let execution = thread.execution
        let choice = execution.step(
            Action(kind: .gateWait, accesses: [lockAccess(.release), condition]), of: self, by: thread)
        owner = nil
        view = thread.view
        thread.isWoken = choice > 0
        if choice > 0 {
            thread.spuriousWakesLeft -= 1
            execution.note("returns for no reason")
        } else {
            sleepers.append(thread)
        }
        let time = Action.Access(object: execution.timeObject, mode: .write)
        let action =
            deadline == nil
            ? Action(kind: .relock, accesses: [lockAccess(.acquire)])
            : Action(kind: .timedRelock, accesses: [lockAccess(.acquire), condition, time], changes: true)
        thread.deadlineNanoseconds = deadline ?? 0
        _ = execution.step(action, of: self, by: thread)
        if let deadline, !thread.isWoken {
            sleepers.removeAll { $0 === thread }
            execution.nanoseconds = max(execution.nanoseconds, deadline)
            execution.note("the time is over")
        }
        take(thread)
    }

    public func wakeAll() {
        guard let thread = Participant.scheduled else { return }
        let action = Action(kind: .gateWake, accesses: [condition], changes: true)
        _ = thread.execution.step(action, of: self, by: thread)
        for sleeper in sleepers {
            sleeper.isWoken = true
            sleeper.clock.join(thread.clock)
        }
        let names = sleepers.map { thread.execution.threadNames[$0.index] }
        thread.execution.note(names.isEmpty ? "nobody waits" : "wakes " + names.joined(separator: " and "))
        sleepers = []
    }

    // MARK: For the scheduler

    func isEnabled(_ thread: Participant) -> Bool {
        switch thread.pending.kind {
        case .lock: owner == nil
        case .timedRelock: owner == nil && (thread.isWoken || thread.execution.mayTimeOut(thread))
        case .relock: owner == nil && thread.isWoken
        default: true
        }
    }

    func isEnabledByTime(_ thread: Participant) -> Bool { thread.waitsForTime && owner == nil }

    func place(_ thread: Participant) -> SchedulePlace { .gate(name) }

    func choiceCount(_ thread: Participant) -> Int {
        thread.pending.kind == .gateWait && thread.spuriousWakesLeft > 0 ? 2 : 1
    }

    func title(_ thread: Participant) -> String {
        switch thread.pending.kind {
        case .lock: "lock the \(name)"
        case .unlock: "unlock the \(name)"
        case .gateWait: "wait at the \(name)"
        case .relock, .timedRelock:
            owner == nil ? "lock the \(name) again" : "lock the \(name) again, after a wakeup"
        case .gateWake: "wake all at the \(name)"
        default: "\(thread.pending.kind)"
        }
    }
}

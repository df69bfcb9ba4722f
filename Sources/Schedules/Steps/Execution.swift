/// One run of a scenario's threads, in which exactly one thread runs at a time: the one that has control.
///
/// A thread announces each step, before it takes it, with `step`. Then it chooses, by the policy, which thread goes on; if
/// that is another one, it hands control over and waits. So the decision costs a switch of threads only when the threads
/// switch.
///
/// Threads: everything here belongs to the thread that has control, and passes from thread to thread with it.
final class Execution: @unchecked Sendable {
    enum Phase {
        /// The world is prepared; no thread has begun.
        case preparing
        case running
        /// The policy has given the schedule up, or a thread has stopped for ever; the threads run to their end, and no
        /// decision is looked at.
        case draining
        case over
    }

    enum Ending: Sendable {
        /// All threads have ended.
        case ended
        /// The policy gave the schedule up.
        case abandoned
        /// A thread has stopped for ever. The others have ended, or wait. Then it went on, as a thread that was only slow.
        case stopped([ScheduleWait])
        /// No thread can go on, and not all have ended.
        case stuck
        /// There were more steps than allowed.
        case endless
        /// The policy's decisions do not fit what the threads do.
        case misfit(String)
    }

    let threadNames: [String]
    let policy: any SchedulePolicy
    let crew: ThreadCrew
    let stepLimit: Int
    private(set) var participants: [Participant] = []
    private(set) var alone: Participant!

    private(set) var phase = Phase.preparing
    private(set) var ending = Ending.ended
    private(set) var events: [Event] = []
    private var histories: [Int: AccessHistory] = [:]
    private var lastObject = 0
    /// The thread that took the last step.
    private(set) var running: Int?

    /// Steps that changed something, of all threads and of each; and what happened before the last of them.
    private var changeCount = 0
    private var changeCounts: [Int]
    private var changeClock = VectorClock()

    /// The virtual time. It advances only when a wait times out.
    var nanoseconds: UInt64 = 1_000_000_000
    private(set) lazy var timeObject = newObject()

    /// The rows of the table of this schedule; nil if nobody will read it.
    private(set) var rows: [ScheduleRow]?
    /// The same when a thread stopped for ever, and no other could go on.
    private(set) var rowsAtStop: [ScheduleRow]?
    let describeWord: @Sendable (String, Int, UInt64?) -> String?
    private let stopped: StoppedThread?

    init(
        threadNames: [String], policy: any SchedulePolicy, crew: ThreadCrew, limits: SurpriseLimits, stepLimit: Int,
        stopped: StoppedThread?, isNarrated: Bool, describeWord: @escaping @Sendable (String, Int, UInt64?) -> String?
    ) {
        self.threadNames = threadNames
        self.policy = policy
        self.crew = crew
        self.stepLimit = stepLimit
        self.describeWord = describeWord
        self.stopped = stopped
        changeCounts = threadNames.map { _ in 0 }
        if isNarrated { rows = [] }
        alone = Participant(-1, self, .none)
        participants = threadNames.indices.map { Participant($0, self, limits) }
        if let stopped, participants.indices.contains(stopped.thread) {
            participants[stopped.thread].stepLimit = UInt32(clamping: stopped.afterSteps)
        }
        events.reserveCapacity(256)
    }

    /// A number for a new object, or for the first of several.
    func newObject(count: Int = 1) -> Int {
        defer { lastObject += count }
        return lastObject + 1
    }

    // MARK: Running

    /// Runs all threads and returns when they have ended, or cannot go on. Throws if a thread blocks outside of the seam.
    func run(_ body: @escaping @Sendable (Int) throws -> Void) throws(ScheduleError) -> Ending {
        for participant in participants {
            crew.assign(participant.index) { [self] in play(participant, body) }
        }
        phase = .running
        guard let first = decide() else { return ending }
        crew.pass(to: first)
        try crew.awaitOwner()
        return ending
    }

    private func play(_ participant: Participant, _ body: @Sendable (Int) throws -> Void) {
        Participant.play(participant)
        record(participant)
        do { try body(participant.index) } catch { participant.error = error }
        Participant.play(nil)
        participant.hasEnded = true
        participant.object = nil
        changeCount += 1
        changeClock.join(participant.clock)
        if let next = decide() { crew.pass(to: next) } else { crew.passToOwner() }
    }

    /// A step of the calling thread: waits until the policy chooses the thread, and returns the outcome that it chose. The
    /// caller then has control, and does the step's work before its next step.
    func step(
        _ action: Action, of object: any SharedObject, by participant: Participant,
        _ operand: Participant.Operand = .init()
    ) -> Int {
        participant.pending = action
        participant.object = object
        participant.operand = operand
        passControl(from: participant)
        return record(participant)
    }

    /// Lets the thread that was chosen go on, and returns when it is the caller's turn.
    private func passControl(from participant: Participant) {
        switch decide() {
        case participant.index?: break
        case let next?:
            crew.pass(to: next)
            crew.waitForTurn(participant.index)
        case nil:
            // Nobody can go on. This thread is left here for ever, with everything that it holds.
            crew.passToOwner()
            crew.waitForTurn(participant.index)
        }
    }

    /// A step that leaves nothing to decide: it cannot wait, and no other step races with it.
    func forcedStep(_ action: Action, of object: any SharedObject, by participant: Participant) {
        participant.pending = action
        participant.object = object
        participant.operand = .init()
        if phase == .running {
            if participant.isStopped {
                passControl(from: participant)
            } else {
                policy.willForce(participant.index)
            }
        }
        decision = nil
        record(participant)
    }

    /// The position and outcome of the last decision, for the step that follows it.
    private var decision: Decision?

    /// The thread that goes on. nil if the execution is over: `ending` says how.
    private func decide() -> Int? {
        if participants.allSatisfy(\.hasEnded) {
            phase = .over
            return nil
        }
        let (enabled, prompt) = threadsThatCanGoOn()
        if enabled.isEmpty {
            guard let stopped = participants.first(where: \.isStopped) else { return end(.stuck) }
            if phase == .running {
                ending = .stopped(waits)
                rowsAtStop = rows
                let row = ScheduleRow(thread: threadNames[stopped.index], action: "stops for ever", result: "")
                rowsAtStop?.append(row)
            }
            // It goes on, so that no thread is left behind.
            phase = .draining
            stopped.stepLimit = nil
            return decide()
        }
        if events.count >= stepLimit { return end(.endless) }
        let fallback = running.flatMap { prompt.contains($0) ? $0 : nil } ?? prompt.first ?? enabled.first!
        decision = nil
        if phase == .running {
            switch policy.decide(self, enabled, fallback) {
            case .go(let chosen):
                decision = chosen
                return chosen.thread
            case .giveUp:
                phase = .draining
                ending = .abandoned
            case .misfit(let reason):
                phase = .draining
                ending = .misfit(reason)
            }
        }
        return fallback
    }

    /// The threads that can take a step; and those of them that do not only wait for time to pass. Time passes at any step; when
    /// nothing else can happen, until the first wait ends.
    private func threadsThatCanGoOn() -> (enabled: ThreadSet, prompt: ThreadSet) {
        var enabled = ThreadSet()
        var prompt = ThreadSet()
        for participant in participants where !participant.hasEnded && !participant.isStopped {
            guard participant.object?.isEnabled(participant) ?? true else { continue }
            enabled.insert(participant.index)
            if !participant.waitsForTime { prompt.insert(participant.index) }
        }
        if enabled.isEmpty {
            let waiting = participants.filter {
                !$0.hasEnded && !$0.isStopped && ($0.object?.isEnabledByTime($0) ?? false)
            }
            let first = waiting.map(\.deadlineNanoseconds).min()
            for participant in waiting where participant.deadlineNanoseconds == first {
                enabled.insert(participant.index)
            }
        }
        return (enabled, prompt)
    }

    /// In a draining execution the first reason stays.
    private func end(_ reason: Ending) -> Int? {
        if phase == .running { ending = reason }
        isStranded = true
        phase = .over
        return nil
    }

    /// Whether threads were left where they are, for ever.
    private(set) var isStranded = false

    // MARK: Recording

    @discardableResult
    private func record(_ participant: Participant) -> Int {
        let action = participant.pending
        let thread = participant.index
        participant.stepCount += 1
        let before = participant.clock
        let index = events.count
        if phase == .running, let decision, policy.wantsRaces(at: decision.position) {
            for access in action.accesses {
                for other in histories[access.object]?.races(of: access.mode, by: thread, before, in: events) ?? [] {
                    policy.foundRace(self, between: other, and: participant, before)
                }
            }
        }
        for access in action.accesses {
            if let history = histories[access.object] { participant.clock.join(history.clock(before: access.mode)) }
        }
        if action.kind == .relax {
            participant.clock.join(changeClock)
            participant.view.join(participant.clock)
            participant.changesSeen = changeCount - changeCounts[thread]
        }
        if participant.waitsForTime { participant.changesAtTimeout = changeCount - changeCounts[thread] }
        participant.clock[thread] = participant.stepCount
        participant.view[thread] = participant.stepCount
        if action.changes {
            changeCount += 1
            changeCounts[thread] += 1
            changeClock.join(participant.clock)
        }
        let choice = decision?.choice ?? 0
        events.append(
            Event(
                thread: thread, number: participant.stepCount, action: action, choice: choice,
                clock: participant.clock, decision: decision?.position, isDefault: decision?.isDefault ?? true))
        for access in action.accesses {
            histories[access.object, default: AccessHistory()].add(access.mode, index, by: thread, participant.clock)
        }
        if rows != nil {
            let title = participant.object?.title(participant) ?? "begins"
            rows?.append(ScheduleRow(thread: threadNames[thread], action: title, result: ""))
        }
        running = thread
        decision = nil
        crew.countStep()
        return choice
    }

    /// Adds to the row of the last step what came of it.
    func note(_ result: @autoclosure () -> String) {
        guard let last = rows?.indices.last else { return }
        rows?[last].result = result()
    }

    /// Whether a thread that waits in a loop has a reason to look again.
    func hasChanged(since participant: Participant) -> Bool {
        changeCount - changeCounts[participant.index] > participant.changesSeen
    }

    /// Whether a thread's wait may end by time although another thread can go on: once, and again after a change by another
    /// thread, so that a thread that polls does not do so for ever.
    func mayTimeOut(_ participant: Participant) -> Bool {
        changeCount - changeCounts[participant.index] > participant.changesAtTimeout
    }

    /// The threads that wait for one that has stopped for ever.
    private var waits: [ScheduleWait] {
        participants.filter { !$0.hasEnded && !$0.isStopped }.map {
            ScheduleWait(
                thread: $0.index, place: $0.object?.place($0) ?? .elsewhere, text: $0.object?.title($0) ?? "begins")
        }
    }

    /// What keeps each thread that has not ended.
    var waitingThreads: [String] {
        participants.filter { !$0.hasEnded }.map {
            "\(threadNames[$0.index]) waits: \($0.object?.title($0) ?? "begins")"
        }
    }

    /// The schedule, without the decisions at its end that a scheduler would have made by itself.
    var schedule: Schedule {
        let end = (events.lastIndex { !$0.isDefault } ?? -1) + 1
        return Schedule(events[..<end].map { ($0.thread, $0.choice) }, stopped: stopped)
    }
}

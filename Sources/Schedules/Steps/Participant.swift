import Glibc

/// A thread of a scenario in one execution. Owned by the thread that has control.
final class Participant: @unchecked Sendable {
    /// -1 for the thread that prepares the world and checks it: it is alone, and its calls are no steps.
    let index: Int
    unowned let execution: Execution

    /// What it does next.
    var pending: Action
    /// The object that it touches; nil for the start of the thread.
    var object: (any SharedObject)?
    /// Details of the pending action for its object.
    var operand = Operand()

    /// The number of its steps.
    var stepCount: UInt32 = 0
    /// Everything that happened before its next step, by the order of dependent steps.
    var clock = VectorClock()
    /// Everything that it is guaranteed to see, by the memory model. At most `clock`.
    var view = VectorClock()

    var isWoken = false
    var hasEnded = false
    var error: (any Error)?
    /// The number of changes by other threads at its last `relax`.
    var changesSeen = 0
    /// The same when its wait last ended by time; -1 before.
    var changesAtTimeout = -1
    /// When its pending wait ends by time.
    var deadlineNanoseconds: UInt64 = 0
    /// The thread stops for ever after so many steps.
    var stepLimit: UInt32?

    var staleLoadsLeft: Int
    var spuriousFailuresLeft: Int
    var spuriousWakesLeft: Int

    struct Operand {
        var index = 0
        var value: UInt64 = 0
        var expected: UInt64 = 0
    }

    init(_ index: Int, _ execution: Execution, _ limits: SurpriseLimits) {
        self.index = index
        self.execution = execution
        pending = Action(kind: .start, accesses: [])
        staleLoadsLeft = limits.staleLoads
        spuriousFailuresLeft = limits.spuriousFailures
        spuriousWakesLeft = limits.spuriousWakes
    }

    var isAlone: Bool { index < 0 }

    /// Whether it has stopped for ever.
    var isStopped: Bool { !hasEnded && stepCount >= stepLimit ?? .max }

    /// Whether its pending step is the end of a wait by time, which no other thread has ended.
    var waitsForTime: Bool { pending.kind == .timedRelock && !isWoken }

    // MARK: The calling thread

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let failure = pthread_key_create(&key, nil)
        precondition(failure == 0, "a process has keys for more than this module")
        return key
    }()

    /// The participant that the calling thread plays; nil outside of an execution.
    static var current: Participant? {
        pthread_getspecific(key).map { Unmanaged<Participant>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The caller must keep the participant for as long as the thread plays it.
    static func play(_ participant: Participant?) {
        pthread_setspecific(key, participant.map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) })
    }

    /// The participant that the calling thread plays, unless it is alone.
    static var scheduled: Participant? {
        guard let current, !current.isAlone else { return nil }
        return current
    }
}

/// What happens for no reason, as often as this in each thread of an execution.
public struct SurpriseLimits: Hashable, Sendable {
    /// Loads that return an older value, where the memory model allows it.
    public var staleLoads: Int
    /// Exchanges that fail although the word has the expected value.
    public var spuriousFailures: Int
    /// Waits that end without a wakeup.
    public var spuriousWakes: Int

    public init(staleLoads: Int = 1, spuriousFailures: Int = 1, spuriousWakes: Int = 1) {
        self.staleLoads = staleLoads
        self.spuriousFailures = spuriousFailures
        self.spuriousWakes = spuriousWakes
    }

    public static let none = SurpriseLimits(staleLoads: 0, spuriousFailures: 0, spuriousWakes: 0)
}

import Bytes
import Glibc
import Model

/// Any storage, failing as rules say, or as an earlier run did.
///
/// It stands where the kernel stands for `PosixStorage`: a call of the seam is one or several operations, each decided
/// on its own. An interrupted one (EINTR) is asked for again, a short one is continued; after 100 interruptions in a row
/// the error is the caller's. What does not fail reaches the storage beneath, which never holds a fault that was not
/// injected here: `injected` lists them with everything that was drawn, by operation id (calls count from 1), and every
/// error is `StorageError.injected` with its rule. Real errors of the storage beneath pass through as they are.
///
/// - Operations: read, write, fdatasync (`sync`), fsyncdir, open, create, rename, unlink, truncate, allocate, readdir
///   (`list`), getattr (`length`), lock. The path of a file is its name, that of the directory is `.`.
/// - A failed sync that loses data behaves as the filesystem of the rule; `dropCleanPages` makes visible what is lost.
/// - After a crash every call fails with EIO, and nothing reaches the storage beneath.
/// - Over a `RecordingStorage` the trace tells of the faults: each has an event (with an id of its own, before what is
///   left of its operation), a failed sync is a failed barrier, and nothing is recorded after a crash.
///
/// What programs see of a file is the `PageCache` over it, as on a FaultFS mount. What a failed sync lost stays in the
/// storage beneath while it is cached: whether a crash loses it is the model's to say, from the trace, which has the failed
/// barrier and may have it either way. (A mount takes it out of the backing directory at once.)
///
/// Not modelled: faults of what is durable.
///
/// Threads: as every storage. With several threads the order in which they come decides who gets a fault that is
/// counted over several files.
public final class FaultyStorage<Source: FaultSource>: Sendable {
    let wrapped: any Storage
    let recording: RecordingStorage?
    private let pause: @Sendable (UInt64) -> Void
    let state: Guarded<State>

    struct State {
        var source: Source
        var epoch = 0
        var lastID: UInt64 = 0
        var injected: [InjectedFault] = []
        /// The rule that cut the power.
        var crash: ByteString?
        var nodes: [ByteString: FaultyNode] = [:]
    }

    /// `pause` waits for so many nanoseconds; delays call it, on the thread of the caller, which otherwise sleeps.
    public init(_ wrapped: any Storage, _ source: Source, pause: (@Sendable (UInt64) -> Void)? = nil) {
        self.wrapped = wrapped
        recording = wrapped as? RecordingStorage
        self.pause = pause ?? sleep(nanoseconds:)
        state = Guarded(State(source: source))
    }

    /// The faults that happened, in their order.
    public var injected: [InjectedFault] { state.withLock { $0.injected } }

    /// Whether a rule has cut the power.
    public var hasCrashed: Bool { state.withLock { $0.crash != nil } }

    var needs: FaultNeeds { state.withLock { $0.source.needs } }

    /// How many operations were asked for.
    public var operationCount: UInt64 { state.withLock { $0.lastID } }

    /// Looks at the source of faults, or changes it, between two operations.
    public func withFaults<Result>(_ body: (inout Source) -> Result) -> Result {
        state.withLock { state in
            state.epoch += 1
            return body(&state.source)
        }
    }

    /// Forgets every clean page, as memory pressure or a remount does: data that a failed sync lost is gone now.
    public func dropCleanPages() throws(StorageError) {
        for node in state.withLock({ Array($0.nodes.values) }) {
            try node.content.withLock { (content) throws(StorageError) in
                try content.evict { () throws(StorageError) in try wrapped.open(node.name) }
            }
        }
    }

    // MARK: - Files

    func place(_ name: ByteString, _ state: State) -> FaultyNode.Place {
        FaultyNode.Place(name: name, match: state.source.match(name), epoch: state.epoch)
    }

    func node(_ name: ByteString, _ state: inout State) -> FaultyNode {
        if let node = state.nodes[name] { return node }
        let node = FaultyNode(place(name, state))
        state.nodes[name] = node
        return node
    }

    /// The match of a file's name, worked out anew if it has to be.
    private func match(_ node: FaultyNode, _ state: State) -> PathMatch {
        node.place.withLock { place in
            if place.epoch != state.epoch || !state.source.isCurrent(place.match) {
                place = self.place(place.name, state)
            }
            return place.match
        }
    }

    /// Decides about an operation on an open file. `describe` completes the attempt, if it must be complete.
    func decide(
        _ kind: OperationKind, _ call: StorageCall, _ node: FaultyNode,
        _ describe: (inout Attempt, FaultNeeds) throws(StorageError) -> Void
    ) throws(StorageError) -> Verdict {
        try decide(kind, call, node.name, describe, matching: { state in (match(node, state), nil) })
    }

    /// What becomes of an operation, and what must be remembered of it.
    struct Verdict {
        var main: Decisions.Decision?
        var needs: FaultNeeds
    }

    /// Decides about an operation. Throws when the power is gone, or goes instead of it.
    func decide(
        _ kind: OperationKind, _ call: StorageCall, _ name: ByteString,
        _ describe: (inout Attempt, FaultNeeds) throws(StorageError) -> Void,
        matching match: (State) -> (PathMatch, PathMatch?)
    ) throws(StorageError) -> Verdict {
        let (decisions, needs) = try state.withLock { (state) throws(StorageError) in
            try check(state, call, name)
            state.lastID += 1
            let needs = state.source.needs
            guard needs.kinds.contains(kind) else { return (Decisions(), needs) }
            let (path, other) = match(state)
            guard !path.isEmpty || other?.isEmpty == false else { return (Decisions(), needs) }
            var attempt = Attempt(id: OperationID(state.lastID), kind, process: getpid())
            try describe(&attempt, needs)
            let decisions = state.source.decide(attempt, at: path, and: other)
            state.injected += decisions.all.map { InjectedFault(attempt, path: path.path, $0) }
            if decisions.main?.fault == .crash(.before) { crash(&state, decisions.main!.rule) }
            return (decisions, needs)
        }
        for decision in decisions.all where !isRecordedLater(decision.fault, kind) {
            recording?.record(fault: decision.rule)
        }
        if decisions.delayNanoseconds > 0 { pause(decisions.delayNanoseconds) }
        if case .crash(.before)? = decisions.main?.fault { try checkPower(call, name) }
        return Verdict(main: decisions.main, needs: needs)
    }

    /// Whether the trace tells of the fault where it happens: a crash, and a barrier that fails.
    private func isRecordedLater(_ fault: DrawnFault, _ kind: OperationKind) -> Bool {
        switch fault {
        case .crash: true
        case .fail(let error): kind.isBarrier && error != .interrupted
        case .lose: true
        default: false
        }
    }

    // MARK: - The power

    private func check(_ state: State, _ call: StorageCall, _ name: ByteString) throws(StorageError) {
        if let rule = state.crash { throw .injected(call, name: name, errno: EIO, rule: rule) }
    }

    private func crash(_ state: inout State, _ rule: ByteString) {
        state.crash = rule
        recording?.record(fault: rule)
        recording?.stop()
    }

    /// Cuts the power, and throws.
    func crash(_ rule: ByteString, _ call: StorageCall, _ name: ByteString) throws(StorageError) -> Never {
        state.withLock { if $0.crash == nil { crash(&$0, rule) } }
        throw .injected(call, name: name, errno: EIO, rule: rule)
    }

    /// Throws once the power is gone.
    func checkPower(_ call: StorageCall, _ name: ByteString) throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in try check(state, call, name) }
    }
}

/// Sleeps, signals notwithstanding.
private func sleep(nanoseconds: UInt64) {
    var rest = timespec(tv_sec: Int(clamping: nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    var left = timespec()
    while nanosleep(&rest, &left) != 0, errno == EINTR { rest = left }
}

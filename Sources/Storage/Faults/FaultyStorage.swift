import Bytes
import Glibc
import Model
import Platform

/// Wraps any storage and injects faults, by rules or by the fault script of an earlier run.
///
/// Like the kernel under `PosixStorage`, it splits a call into one or several operations and decides each one: it
/// repeats an interrupted operation (EINTR) and continues a short one. After 100 interruptions in a row the caller gets
/// the error. Operations without a fault go to the wrapped storage. An injected error is `StorageError.injected` with
/// its rule; real errors pass through unchanged. `injected` lists all faults by operation id (operations count from 1).
///
/// - Operations: read, write, fdatasync (`sync`), fsyncdir, open, create, rename, unlink, truncate, allocate, readdir
///   (`list`), getattr (`length`), lock. The path of a file is its name, that of the directory is `.`.
/// - A failed sync that loses data behaves like the filesystem named in the rule. `dropCleanPages` makes the loss
///   visible.
/// - After a crash every call fails with EIO, and nothing reaches the wrapped storage.
/// - With a `RecordingStorage` beneath, the trace has an event for each fault (with its own id, before the remaining
///   operations of the call), a failed sync is a failed barrier, and nothing is recorded after a crash.
///
/// Programs see each file through a `PageCache`, as on a FaultFS mount. Bytes that a failed sync lost stay in the
/// wrapped storage while they are cached: the trace has the failed barrier, so the model derives crash states with and
/// without them. (A mount removes them from the backing directory at once.)
///
/// Not modelled: faults in durable data.
///
/// Threads: as for every storage. With several threads, a counter over several files (`nth=`) depends on their order.
public final class FaultyStorage<Source: FaultSource>: Sendable {
    let wrapped: any Storage
    let recording: RecordingStorage?
    private let pause: @Sendable (UInt64) -> Void
    let state: Guarded<FaultState>

    struct FaultState {
        var source: Source
        var epoch = 0
        var lastID: UInt64 = 0
        var injected: [InjectedFault] = []
        /// The rule that cut the power; nil while the power is on.
        var crash: ByteString?
        var nodes: [ByteString: FaultyNode] = [:]
    }

    /// - Parameter pause: carries out a delay of so many nanoseconds on the caller's thread; sleeps by default.
    public init(_ wrapped: any Storage, _ source: Source, pause: (@Sendable (UInt64) -> Void)? = nil) {
        self.wrapped = wrapped
        recording = wrapped as? RecordingStorage
        self.pause = pause ?? sleep(nanoseconds:)
        state = Guarded(FaultState(source: source))
    }

    /// The injected faults, in order.
    public var injected: [InjectedFault] { state.withLock { $0.injected } }

    /// Whether a `crash` rule has fired.
    public var hasCrashed: Bool { state.withLock { $0.crash != nil } }

    var needs: FaultNeeds { state.withLock { $0.source.needs } }

    /// The number of operations so far.
    public var operationCount: UInt64 { state.withLock { $0.lastID } }

    /// Reads or changes the fault source, between two operations.
    public func withFaults<Result>(_ body: (inout Source) -> Result) -> Result {
        state.withLock { state in
            state.epoch += 1
            return body(&state.source)
        }
    }

    /// Drops all clean pages, as memory pressure or a remount does. Data that a failed sync lost is then gone.
    public func dropCleanPages() throws(StorageError) {
        for node in state.withLock({ Array($0.nodes.values) }) {
            try node.content.withLock { (content) throws(StorageError) in
                try content.evict { () throws(StorageError) in try wrapped.open(node.name) }
            }
        }
    }

    // MARK: - Files

    func nameMatch(_ name: ByteString, _ state: FaultState) -> FaultyNode.NameMatch {
        FaultyNode.NameMatch(name: name, match: state.source.match(name), epoch: state.epoch)
    }

    func node(_ name: ByteString, _ state: inout FaultState) -> FaultyNode {
        if let node = state.nodes[name] { return node }
        let node = FaultyNode(nameMatch(name, state))
        state.nodes[name] = node
        return node
    }

    /// The rules that match a file's name, recomputed if they changed.
    private func match(_ node: FaultyNode, _ state: FaultState) -> PathMatch {
        node.nameMatch.withLock { cached in
            if cached.epoch != state.epoch || !state.source.isCurrent(cached.match) {
                cached = nameMatch(cached.name, state)
            }
            return cached.match
        }
    }

    /// Decides the fault of an operation on an open file. `describe` fills in the attempt; it is called only if a rule
    /// may match.
    func decide(
        _ kind: OperationKind, _ call: StorageCall, _ node: FaultyNode,
        _ describe: (inout Attempt, FaultNeeds) throws(StorageError) -> Void
    ) throws(StorageError) -> FaultDecision {
        try decide(kind, call, node.name, describe, matching: { state in (match(node, state), nil) })
    }

    /// The fault of an operation, and which bytes later faults need.
    struct FaultDecision {
        var main: Decisions.Decision?
        var needs: FaultNeeds
    }

    /// Decides the fault of an operation. Throws when the power is off, or is cut by `crash` instead of the operation.
    func decide(
        _ kind: OperationKind, _ call: StorageCall, _ name: ByteString,
        _ describe: (inout Attempt, FaultNeeds) throws(StorageError) -> Void,
        matching match: (FaultState) -> (PathMatch, PathMatch?)
    ) throws(StorageError) -> FaultDecision {
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
        return FaultDecision(main: decisions.main, needs: needs)
    }

    /// Whether the fault is recorded elsewhere: with the crash, or with the failed barrier.
    private func isRecordedLater(_ fault: DrawnFault, _ kind: OperationKind) -> Bool {
        switch fault {
        case .crash: true
        case .fail(let error): kind.isBarrier && error != .interrupted
        case .lose: true
        case .lie, .short, .tear, .drop, .reorder, .bitflip, .misdirect, .stale, .delay: false
        }
    }

    // MARK: - Power

    private func check(_ state: FaultState, _ call: StorageCall, _ name: ByteString) throws(StorageError) {
        if let rule = state.crash { throw .injected(call, name: name, errno: EIO, rule: rule) }
    }

    private func crash(_ state: inout FaultState, _ rule: ByteString) {
        state.crash = rule
        recording?.record(fault: rule)
        recording?.stop()
    }

    /// Cuts the power and throws.
    func crash(_ rule: ByteString, _ call: StorageCall, _ name: ByteString) throws(StorageError) -> Never {
        state.withLock { if $0.crash == nil { crash(&$0, rule) } }
        throw .injected(call, name: name, errno: EIO, rule: rule)
    }

    /// Throws when the power is off.
    func checkPower(_ call: StorageCall, _ name: ByteString) throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in try check(state, call, name) }
    }
}

/// Sleeps for the whole time, despite signals.
private func sleep(nanoseconds: UInt64) {
    var rest = timespec(tv_sec: Int(clamping: nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    var left = timespec()
    while nanosleep(&rest, &left) != 0, errno == EINTR { rest = left }
}

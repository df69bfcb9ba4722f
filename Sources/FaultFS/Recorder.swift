import Bytes
import Glibc
import Model
import Synchronization

/// Puts every change of the mount in one order, gives it its id, records it, and stops everything when the power goes.
///
/// A change takes its *turn*: a lock that covers the call below and the recording, so that the order of the trace is
/// the order of effect and the power goes between two turns, never within one. Barriers hold the turn only to record
/// that they began and that they ended: the sync itself runs beside everything else, and one that does nothing is
/// recorded in one turn. Once frozen, every turn fails
/// with EIO, a barrier that was in flight included: it never returned.
///
/// A trace that cannot be written freezes the mount as well: a gap would be worse than a stop.
final class Recorder: @unchecked Sendable {
    private let lock = Lock()
    private let frozen = Atomic<Bool>(false)
    private var reason: FreezeReason?
    /// nil when nothing is recorded.
    private let sink: (any TraceSink)?
    /// Told of everything that was recorded; set before the first request.
    var tracker: UnsyncedTracker?
    private let crashPoint: CrashPoint?
    private let delays: Delays
    /// Called once, from a thread of its own, after the freeze.
    private let onFreeze: @Sendable (FreezeReason) -> Void

    private var nextOperation: UInt64 = 1
    /// The id of the turn, until a record takes it.
    private var unusedID: OperationID?
    /// Whether ids count calls that change nothing too: then a replay finds each call under the same id again.
    private let countsEveryTurn: @Sendable () -> Bool
    private var counts = Counts()
    /// The last thing recorded, if it was a write: the next one may be a further piece of the same call.
    private var lastWrite: WritePiece?

    /// What was recorded so far.
    struct Counts: Sendable {
        var events = 0
        var operations = 0
        var barriers = 0
        var oracleLines = 0
    }

    init(
        sink: (any TraceSink)?, crashPoint: CrashPoint?, delays: Delays,
        countsEveryTurn: @escaping @Sendable () -> Bool,
        onFreeze: @escaping @Sendable (FreezeReason) -> Void
    ) {
        self.sink = sink
        self.countsEveryTurn = countsEveryTurn
        self.crashPoint = crashPoint
        self.delays = delays
        self.onFreeze = onFreeze
    }

    var isRecording: Bool { sink != nil }

    /// Whether the power is gone. Cheap; calls that change nothing ask before they run.
    @inline(__always)
    var isFrozen: Bool { frozen.load(ordering: .acquiring) }

    var recorded: Counts { lock.withLock { counts } }

    /// Why the power is gone; nil while it is not.
    var freezeReason: FreezeReason? { lock.withLock { reason } }

    /// The right to change and to record, for the length of one call: never kept beyond it. (Noncopyable, as it should
    /// be, it crashes the optimiser of Swift 6.3.1.)
    struct Turn {
        fileprivate let recorder: Recorder
        fileprivate let process: Int32
        fileprivate let isWriteback: Bool
        /// What the first record of the turn is called.
        let id: OperationID

        /// Records a change that took effect.
        func record(_ change: Change) throws(Errno) {
            try recorder.record(change, process, .call, data: UnsafeRawBufferPointer(start: nil, count: 0))
        }

        /// Records that a rule fired on what the turn is for.
        func recordFault(_ rule: ByteString) throws(Errno) { try recorder.append(.fault(id, rule: rule)) }

        /// Records a write that took effect; one of no bytes changed nothing.
        func recordWrite(_ inode: InodeID, offsetBytes: UInt64, _ data: UnsafeRawBufferPointer) throws(Errno) {
            guard !data.isEmpty else { return }
            let payload = Payload(offsetBytes: 0, countBytes: UInt64(data.count))
            let piece = WritePiece(
                process: process, inode: inode, range: offsetBytes..<offsetBytes + UInt64(data.count))
            let goesOn = recorder.lastWrite.map(piece.goesOn(from:)) ?? false
            try recorder.record(
                .write(inode, offsetBytes: offsetBytes, data: payload), process,
                isWriteback ? .writeback : goesOn ? .sameCall : .call, data: data)
            if !isWriteback { recorder.lastWrite = piece }
        }

        func recordWrite(_ inode: InodeID, offsetBytes: UInt64, _ bytes: [UInt8]) throws(Errno) {
            let failure: Errno? = bytes.withUnsafeBytes { bytes in
                do throws(Errno) {
                    try recordWrite(inode, offsetBytes: offsetBytes, bytes)
                    return nil
                } catch {
                    return error
                }
            }
            if let failure { throw failure }
        }
    }

    /// Runs `body`, which changes something below and records it.
    func turn<Result>(
        _ process: Int32, isWriteback: Bool = false, _ body: (Turn) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        lock.lock()
        defer { lock.unlock() }
        try admit(.operations)
        let id = takeID()
        unusedID = id
        defer {
            if unusedID != nil, !countsEveryTurn() { nextOperation -= 1 }
            unusedID = nil
        }
        return try body(Turn(recorder: self, process: process, isWriteback: isWriteback, id: id))
    }

    /// Runs `body`, a sync, unless it `isVoid`: does nothing below. What had completed before is durable once it returned
    /// without an error.
    func barrier(
        _ barrier: Barrier, process: Int32, isVoid: Bool, _ body: () throws(Errno) -> Void
    ) throws(Errno) {
        guard isRecording else {
            if isFrozen { throw Errno(EIO) }
            if !isVoid { try body() }
            return
        }
        let id = try lock.withLock { () throws(Errno) in
            try admit(.barriers)
            let id = takeID()
            try append(.barrierBegan(id, barrier, process: process))
            if isVoid { try ended(id, errno: 0) }
            return id
        }
        if !isVoid { try finish(id, body) }
    }

    /// Takes the id of a sync that is about to begin.
    func admitBarrier() throws(Errno) -> OperationID {
        lock.lock()
        defer { lock.unlock() }
        try admit(.barriers)
        return takeID()
    }

    func begin(_ id: OperationID, _ barrier: Barrier, _ process: Int32) throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        try admitEvent()
        try append(.barrierBegan(id, barrier, process: process))
    }

    /// Runs `body`, a sync that began, and records how it ended.
    func finish(_ id: OperationID, _ body: () throws(Errno) -> Void) throws(Errno) {
        do throws(Errno) {
            try body()
        } catch {
            try end(id, errno: error.code)
            throw error
        }
        try end(id, errno: 0)
    }

    func end(_ id: OperationID, errno: Int32) throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        try ended(id, errno: errno)
    }

    /// Beneath the lock.
    private func ended(_ id: OperationID, errno: Int32) throws(Errno) {
        try admitEvent()
        counts.barriers += 1
        try append(.barrierEnded(id, errno: errno))
        settle(.barriers, counts.barriers)
    }

    /// Records that a rule fired on a call outside a turn.
    func recordFault(_ id: OperationID, _ rule: ByteString) throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        try admitEvent()
        try append(.fault(id, rule: rule))
    }

    /// Appends one line to the oracle through `body`.
    func oracle(_ line: UnsafeRawBufferPointer, _ body: () throws(Errno) -> Void) throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        try admit(.oracleLines)
        try body()
        counts.oracleLines += 1
        guard isRecording else { return settle(.oracleLines, counts.oracleLines) }
        try append(.oracle(Payload(offsetBytes: 0, countBytes: UInt64(line.count))), data: line)
        settle(.oracleLines, counts.oracleLines)
    }

    /// Cuts the power now, at an operation boundary. False when it was cut before.
    @discardableResult
    func freeze(_ reason: FreezeReason) -> Bool { lock.withLock { stop(reason) } }

    /// Within a turn: cuts the power, and answers what the call fails with.
    func cut(_ reason: FreezeReason) -> Errno {
        stop(reason)
        return Errno(EIO)
    }

    // MARK: Beneath the lock

    fileprivate func record(
        _ change: Change, _ process: Int32, _ origin: Operation.Origin, data: UnsafeRawBufferPointer
    ) throws(Errno) {
        counts.operations += 1
        guard isRecording else {
            unusedID = nil
            return settle(.operations, counts.operations)
        }
        let id = unusedID ?? takeID()
        unusedID = nil
        try append(.operation(Operation(id: id, change, process: process, origin: origin)), data: data)
        settle(.operations, counts.operations)
    }

    private func takeID() -> OperationID {
        defer { nextOperation += 1 }
        return OperationID(nextOperation)
    }

    fileprivate func append(
        _ event: TraceEvent, data: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) throws(Errno) {
        lastWrite = nil
        guard let sink else { return }
        do { tracker?.take(try sink.append(event, data: data)) } catch { throw failed(error) }
        counts.events += 1
        settle(.events, counts.events)
    }

    private func failed(_ error: any Error) -> Errno {
        stop(.traceFailed("\(error)"))
        return Errno(EIO)
    }

    /// EIO once frozen, and when the next thing of this kind is the one that must not happen.
    private func admit(_ kind: CrashPoint.Counted) throws(Errno) {
        if isFrozen { throw Errno(EIO) }
        guard let point = crashPoint, point.side == .before else { return }
        let isNext =
            switch point.counted {
            case .events: counts.events + 1 == point.number
            case .operations: kind == .operations && counts.operations + 1 == point.number
            case .barriers: kind == .barriers && counts.barriers + 1 == point.number
            case .oracleLines: kind == .oracleLines && counts.oracleLines + 1 == point.number
            }
        guard isNext else { return }
        stop(.crashPoint(point))
        throw Errno(EIO)
    }

    /// The return of a barrier is an event like any other, but was admitted when the barrier began.
    private func admitEvent() throws(Errno) {
        if isFrozen { throw Errno(EIO) }
        guard let point = crashPoint, point.side == .before, point.counted == .events else { return }
        guard counts.events + 1 == point.number else { return }
        stop(.crashPoint(point))
        throw Errno(EIO)
    }

    private func settle(_ kind: CrashPoint.Counted, _ count: Int) {
        guard let point = crashPoint, point.side == .after, point.counted == kind, point.number == count else { return }
        stop(.crashPoint(point))
    }

    @discardableResult
    private func stop(_ reason: FreezeReason) -> Bool {
        guard !frozen.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        self.reason = reason
        delays.endForGood(Errno(EIO))
        let onFreeze = onFreeze
        Thread.detach { onFreeze(reason) }
        return true
    }
}

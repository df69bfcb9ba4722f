import Bytes
import Glibc
import Model
import Platform
import Synchronization

/// Serialises all changes of the mount, assigns their ids, records them, and stops everything at a power cut.
///
/// Each change runs in a *turn*: a lock around the backing call and the recording. So trace order is the order of
/// effect, and a power cut falls between two turns. A barrier takes a turn for its begin and one for its end; the sync
/// itself runs concurrently. A sync that does nothing below is recorded in one turn. Once frozen, every turn fails with
/// EIO. That includes the end of a barrier in flight: it never returned.
///
/// A trace that cannot be written also freezes the mount: a stop is better than a gap in the trace.
final class Recorder: @unchecked Sendable {
    private let lock = Lock()
    private let frozen = Atomic<Bool>(false)
    private var reason: FreezeReason?
    /// nil when nothing is recorded.
    private let sink: (any TraceSink)?
    /// Receives every recorded event; set before the first request.
    var tracker: UnsyncedTracker?
    private let crashPoint: CrashPoint?
    private let delays: Delays
    /// Called once after the freeze, in its own thread.
    private let onFreeze: @Sendable (FreezeReason) -> Void

    private var nextOperation: UInt64 = 1
    /// The id of the current turn, until the first record uses it.
    private var unusedID: OperationID?
    /// Whether turns that change nothing also use up an id. With rules they do, so that a replay finds each call under
    /// the same id.
    private let countsEveryTurn: @Sendable () -> Bool
    private var counts = Counts()
    /// The last record if it was a write: the next one may be another piece of the same call.
    private var lastWrite: WritePiece?

    /// The number of records so far, by kind.
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

    /// Whether the power is off. Cheap: queries check it before they run.
    @inline(__always)
    var isFrozen: Bool { frozen.load(ordering: .acquiring) }

    var recorded: Counts { lock.withLock { counts } }

    /// Why the power is off; nil while it is on.
    var freezeReason: FreezeReason? { lock.withLock { reason } }

    /// The right to change and record during one call. Must not outlive it. (It should be noncopyable; that crashes the
    /// optimiser of Swift 6.3.1.)
    struct Turn {
        fileprivate let recorder: Recorder
        fileprivate let process: Int32
        fileprivate let isWriteback: Bool
        /// The id of the turn's first record.
        let id: OperationID

        /// Records a change that took effect.
        func record(_ change: Change) throws(Errno) {
            try recorder.record(change, process, .call, data: UnsafeRawBufferPointer(start: nil, count: 0))
        }

        /// Records that a rule fired on the turn's call.
        func recordFault(_ rule: ByteString) throws(Errno) { try recorder.append(.fault(id, rule: rule)) }

        /// Records a write that took effect. Ignores an empty write: it changed nothing.
        func recordWrite(_ inode: InodeID, offsetBytes: UInt64, _ data: UnsafeRawBufferPointer) throws(Errno) {
            guard !data.isEmpty else { return }
            let payload = Payload(offsetBytes: 0, countBytes: UInt64(data.count))
            let piece = WritePiece(
                process: process, inode: inode, range: offsetBytes..<offsetBytes + UInt64(data.count))
            let isContinuation = recorder.lastWrite.map(piece.continues) ?? false
            try recorder.record(
                .write(inode, offsetBytes: offsetBytes, data: payload), process,
                isWriteback ? .writeback : isContinuation ? .sameCall : .call, data: data)
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

    /// Runs `body` in a turn. `body` changes the backing directory and records the change.
    func turn<Result>(
        _ process: Int32, isWriteback: Bool = false, _ body: (Turn) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        lock.lock()
        defer { lock.unlock() }
        try admit(.operations)
        let id = allocateID()
        unusedID = id
        defer {
            if unusedID != nil, !countsEveryTurn() { nextOperation -= 1 }
            unusedID = nil
        }
        return try body(Turn(recorder: self, process: process, isWriteback: isWriteback, id: id))
    }

    /// Records a barrier around `body`, the sync. `isVoid` says that the sync does nothing below; then `body` is not
    /// run. Changes that completed before the barrier are durable once it has returned without an error.
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
            let id = allocateID()
            try append(.barrierBegan(id, barrier, process: process))
            if isVoid { try recordEnd(id, errno: 0) }
            return id
        }
        if !isVoid { try finish(id, body) }
    }

    /// Allocates the id of a sync that is about to begin.
    func admitBarrier() throws(Errno) -> OperationID {
        lock.lock()
        defer { lock.unlock() }
        try admit(.barriers)
        return allocateID()
    }

    func begin(_ id: OperationID, _ barrier: Barrier, _ process: Int32) throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        try admitEvent()
        try append(.barrierBegan(id, barrier, process: process))
    }

    /// Runs `body`, the sync of a barrier that has begun, and records its result.
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
        try recordEnd(id, errno: errno)
    }

    /// Under the lock.
    private func recordEnd(_ id: OperationID, errno: Int32) throws(Errno) {
        try admitEvent()
        counts.barriers += 1
        try append(.barrierEnded(id, errno: errno))
        checkCrashPoint(.barriers, counts.barriers)
    }

    /// Records that a rule fired on a call that has no turn.
    func recordFault(_ id: OperationID, _ rule: ByteString) throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        try admitEvent()
        try append(.fault(id, rule: rule))
    }

    /// Runs `body`, which appends one line to the oracle, and records the line.
    func oracle(_ line: UnsafeRawBufferPointer, _ body: () throws(Errno) -> Void) throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        try admit(.oracleLines)
        try body()
        counts.oracleLines += 1
        guard isRecording else { return checkCrashPoint(.oracleLines, counts.oracleLines) }
        try append(.oracle(Payload(offsetBytes: 0, countBytes: UInt64(line.count))), data: line)
        checkCrashPoint(.oracleLines, counts.oracleLines)
    }

    /// Cuts the power now, between two turns. False when it was off already.
    @discardableResult
    func freeze(_ reason: FreezeReason) -> Bool { lock.withLock { stop(reason) } }

    /// Within a turn: cuts the power and returns the errno for the call.
    func cut(_ reason: FreezeReason) -> Errno {
        stop(reason)
        return Errno(EIO)
    }

    // MARK: Under the lock

    fileprivate func record(
        _ change: Change, _ process: Int32, _ origin: Operation.Origin, data: UnsafeRawBufferPointer
    ) throws(Errno) {
        counts.operations += 1
        guard isRecording else {
            unusedID = nil
            return checkCrashPoint(.operations, counts.operations)
        }
        let id = unusedID ?? allocateID()
        unusedID = nil
        try append(.operation(Operation(id: id, change, process: process, origin: origin)), data: data)
        checkCrashPoint(.operations, counts.operations)
    }

    private func allocateID() -> OperationID {
        defer { nextOperation += 1 }
        return OperationID(nextOperation)
    }

    fileprivate func append(
        _ event: TraceEvent, data: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) throws(Errno) {
        lastWrite = nil
        guard let sink else { return }
        do { tracker?.append(try sink.append(event, data: data)) } catch { throw failed(error) }
        counts.events += 1
        checkCrashPoint(.events, counts.events)
    }

    private func failed(_ error: any Error) -> Errno {
        stop(.traceFailed("\(error)"))
        return Errno(EIO)
    }

    /// Throws EIO when frozen, or when the crash point says that the next record of this kind must not happen.
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

    /// Like `admit`, for the end of a barrier: it counts as an event, but the barrier was admitted when it began.
    private func admitEvent() throws(Errno) {
        if isFrozen { throw Errno(EIO) }
        guard let point = crashPoint, point.side == .before, point.counted == .events else { return }
        guard counts.events + 1 == point.number else { return }
        stop(.crashPoint(point))
        throw Errno(EIO)
    }

    /// Cuts the power if the crash point is right after the record just counted.
    private func checkCrashPoint(_ kind: CrashPoint.Counted, _ count: Int) {
        guard let point = crashPoint, point.side == .after, point.counted == kind, point.number == count else { return }
        stop(.crashPoint(point))
    }

    @discardableResult
    private func stop(_ reason: FreezeReason) -> Bool {
        guard !frozen.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        self.reason = reason
        delays.close(Errno(EIO))
        let onFreeze = onFreeze
        Thread.detach { onFreeze(reason) }
        return true
    }
}

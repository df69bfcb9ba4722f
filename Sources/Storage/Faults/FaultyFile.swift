import Bytes
import Glibc
import Model
import Platform

/// A file of a `FaultyStorage`.
final class FaultyFile<Source: FaultSource>: StorageFile {
    private let wrapped: any StorageFile
    private let isWritable: Bool
    private let node: FaultyNode
    private let storage: FaultyStorage<Source>
    /// Which writeback errors this open file has reported.
    private let reported: Guarded<WritebackErrors.Cursor>

    init(_ wrapped: any StorageFile, isWritable: Bool, _ node: FaultyNode, _ storage: FaultyStorage<Source>) {
        self.wrapped = wrapped
        self.isWritable = isWritable
        self.node = node
        self.storage = storage
        reported = Guarded(node.content.withLock { $0.cache.errors.now })
    }

    private func injected(_ call: StorageCall, _ error: ErrorNumber, _ rule: ByteString) -> StorageError {
        .injected(call, name: node.name, errno: error.rawValue, rule: rule)
    }

    private func withCache<Result>(
        _ body: (inout PageCache, CachedFile) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try withCache(wrapped, body)
    }

    private func withCache<Result>(
        _ file: any StorageFile, _ body: (inout PageCache, CachedFile) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try node.content.withLock { (content) throws(StorageError) in try content.withCache(file, body) }
    }

    /// The file, open for writing. `wrapped` may be read-only.
    private func writable() throws(StorageError) -> any StorageFile {
        isWritable ? wrapped : try storage.wrapped.open(node.name)
    }

    // MARK: - Reading

    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        var done = 0
        var interruptions = 0
        while true {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let offset = offsetBytes &+ UInt64(done)
            let decision = try decideRead(rest.count, at: offset)
            switch decision.main?.fault {
            case .fail(.interrupted) where interruptions < FaultyStorage<Source>.interruptionLimit: interruptions += 1
            case .short(let count) where count < UInt64(rest.count):
                let part = UnsafeMutableRawBufferPointer(rebasing: rest[..<Int(count)])
                let got = try readVisible(part, at: offset, nil)
                done += got
                interruptions = 0
                if got < part.count || got == 0 { return done }
            case let fault: return done + (try read(fault, decision, into: rest, at: offset))
            }
        }
    }

    private func decideRead(_ count: Int, at offset: UInt64) throws(StorageError) -> FaultyStorage<Source>.FaultDecision
    {
        try storage.decide(.read, .read, node) { (attempt, needs) throws(StorageError) in
            attempt.offsetBytes = offset
            attempt.countBytes = UInt64(count)
            attempt.fileSizeBytes = try wrapped.length()
            let end = offset.addingReportingOverflow(UInt64(count)).partialValue
            if needs.olderBytes, end > offset {
                attempt.hasOlderBytes = node.content.withLock { $0.cache.hasOlderBytes(offset..<end) }
            }
        }
    }

    /// The last read operation of a call.
    private func read(
        _ fault: DrawnFault?, _ decision: FaultyStorage<Source>.FaultDecision,
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) throws(StorageError) -> Int {
        let (rule, needs) = (decision.main?.rule ?? "", decision.needs)
        if case .fail(let error)? = fault { throw injected(.read, error, rule) }
        let count: Int
        switch fault {
        case .misdirect(let other)?: count = try readVisible(buffer, at: other, nil)
        case .bitflip(let position, let bit, .atRest)?:
            try flip(position, bit, needs)
            count = try readVisible(buffer, at: offset, nil)
        case nil, .bitflip(_, _, .inFlight)?, .stale?, .short?, .delay?, .crash?, .fail?, .lose?, .lie?, .tear?, .drop?,
            .reorder?:
            count = try readVisible(buffer, at: offset, fault)
        }
        if case .crash? = fault { try storage.crash(rule, .read, node.name) }
        return count
    }

    /// Reads through the page cache, as `fault` alters it.
    private func readVisible(
        _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ fault: DrawnFault?
    ) throws(StorageError) -> Int {
        try withCache { (cache, file) throws(StorageError) in
            let count = try wrapped.read(into: buffer, at: offset)
            try cache.overlay(UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset, fault, file)
            return count
        }
    }

    /// Flips a bit in the wrapped file.
    private func flip(_ offset: UInt64, _ bit: UInt8, _ needs: FaultNeeds) throws(StorageError) {
        try withCache(try writable()) { (cache, file) throws(StorageError) in
            for byte in try file.read(offset..<offset + 1) {
                try cache.writeBeneath([byte ^ 1 << bit], at: offset, file, PageCache.Retention(needs))
            }
        }
    }

    // MARK: - Writing

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        var done = 0
        var interruptions = 0
        repeat {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let offset = offsetBytes &+ UInt64(done)
            let decision = try decideGrowing(.write, .write, offset, UInt64(rest.count))
            switch decision.main?.fault {
            case .fail(.interrupted) where interruptions < FaultyStorage<Source>.interruptionLimit:
                interruptions += 1
                continue
            case .short(let count) where count < UInt64(rest.count):
                // A write of no bytes would repeat forever.
                if count == 0 { throw injected(.write, .ioError, decision.main!.rule) }
                done += try writeVisible(rest, at: offset, decision)
                interruptions = 0
            case .fail(let error): throw injected(.write, error, decision.main!.rule)
            case .crash:
                _ = try writeVisible(rest, at: offset, decision)
                try storage.crash(decision.main!.rule, .write, node.name)
            case nil, .short, .tear, .drop, .reorder, .misdirect, .delay, .lose, .lie, .bitflip, .stale:
                _ = try writeVisible(rest, at: offset, decision)
                return
            }
        } while true
    }

    private func decideGrowing(
        _ kind: OperationKind, _ call: StorageCall, _ offset: UInt64, _ count: UInt64
    ) throws(StorageError) -> FaultyStorage<Source>.FaultDecision {
        try storage.decide(kind, call, node) { (attempt, needs) throws(StorageError) in
            attempt.offsetBytes = offset
            attempt.countBytes = count
            attempt.fileSizeBytes = try wrapped.length()
            let (end, overflow) = offset.addingReportingOverflow(count)
            if count > 0, !overflow, end > attempt.fileSizeBytes {
                attempt.growthBytes = Int64(clamping: end - attempt.fileSizeBytes)
            }
        }
    }

    private func writeVisible(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ decision: FaultyStorage<Source>.FaultDecision
    ) throws(StorageError) -> Int {
        try withCache { (cache, file) throws(StorageError) in
            try cache.write(bytes, at: offset, decision.main?.fault, file, PageCache.Retention(decision.needs))
        }
    }

    func truncate(to sizeBytes: UInt64) throws(StorageError) {
        // A truncate releases held writes even if it fails.
        try storage.checkPower(.truncate, node.name)
        try releaseHeld(storage.needs)
        try perform(.truncate, .truncate) { () throws(StorageError) in
            try storage.decide(.truncate, .truncate, node) { (attempt, needs) throws(StorageError) in
                guard needs.growth else { return }
                attempt.growthBytes = Int64(clamping: sizeBytes) - Int64(clamping: try wrapped.length())
            }
        } _: { (cache, file, needs) throws(StorageError) in
            try cache.willResize(to: sizeBytes, file, PageCache.Retention(needs))
            try file.resize(to: sizeBytes)
            cache.forget(sizeBytes..<UInt64.max)
        }
    }

    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
        try perform(.allocate, .preallocate) { () throws(StorageError) in
            try decideGrowing(.allocate, .preallocate, offsetBytes, countBytes)
        } _: { (cache, file, needs) throws(StorageError) in
            try cache.willResize(to: .max, file, PageCache.Retention(needs))
            try wrapped.preallocate(at: offsetBytes, countBytes: countBytes)
        }
    }

    func length() throws(StorageError) -> UInt64 {
        try perform(.getattr, .length) { () throws(StorageError) in
            try storage.decide(.getattr, .length, node) { (_, _) in }
        } _: { (_, _, _) throws(StorageError) in
            try wrapped.length()
        }
    }

    /// Runs an operation that can only fail, be delayed or crash.
    private func perform<Result>(
        _ kind: OperationKind, _ call: StorageCall,
        _ decide: () throws(StorageError) -> FaultyStorage<Source>.FaultDecision,
        _ body: (inout PageCache, CachedFile, FaultNeeds) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        var interruptions = 0
        while true {
            let decision = try decide()
            switch decision.main?.fault {
            case .fail(.interrupted) where interruptions < FaultyStorage<Source>.interruptionLimit: interruptions += 1
            case .fail(let error): throw injected(call, error, decision.main!.rule)
            case let fault:
                let result = try withCache { (cache, file) throws(StorageError) in
                    try body(&cache, file, decision.needs)
                }
                if case .crash? = fault { try storage.crash(decision.main!.rule, call, node.name) }
                return result
            }
        }
    }

    // MARK: - Syncing

    func sync() throws(StorageError) {
        try storage.checkPower(.sync, node.name)
        // First report an earlier writeback error, once per open file.
        try throwUnreportedError()
        var interruptions = 0
        while true {
            let decision = try storage.decide(.fdatasync, .sync, node) { (_, _) in }
            switch decision.main?.fault {
            case .fail(.interrupted) where interruptions < FaultyStorage<Source>.interruptionLimit: interruptions += 1
            case .fail(let error):
                // After a failed sync the state is unknown; held writes stay held.
                recordFailure(error, decision.main!.rule) {}
                throw injected(.sync, error, decision.main!.rule)
            case .lose(let error, let loss): return try lose(error, loss, decision)
            case .lie: return
            case .crash:
                try flush(decision.needs)
                try storage.crash(decision.main!.rule, .sync, node.name)
            case nil, .delay, .short, .tear, .drop, .reorder, .bitflip, .misdirect, .stale:
                try flush(decision.needs)
                return try storage.checkPower(.sync, node.name)
            }
        }
    }

    private func flush(_ needs: FaultNeeds) throws(StorageError) {
        try releaseHeld(needs)
        let covered = try withCache { (cache, _) throws(StorageError) in cache.beginSync() }
        do throws(StorageError) { try wrapped.sync() } catch {
            try withCache { (cache, _) throws(StorageError) in cache.syncFailed(covered) }
            throw error
        }
    }

    private func releaseHeld(_ needs: FaultNeeds) throws(StorageError) {
        guard node.content.withLock({ $0.cache.nextHeld != nil }) else { return }
        try withCache(try writable()) { (cache, file) throws(StorageError) in try cache.releaseAll(file, needs) }
    }

    /// Records a failed barrier. The writes of `body` fall between its begin and its end.
    private func recordFailure<Failure: Error>(
        _ error: ErrorNumber, _ rule: ByteString, _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        guard let recording = wrapped as? RecordingFile else { return try body() }
        try recording.recordFailedSync(errno: error.rawValue, fault: rule, body)
    }

    private func lose(
        _ error: ErrorNumber, _ loss: FsyncLoss, _ decision: FaultyStorage<Source>.FaultDecision
    ) throws(StorageError) {
        let rule = decision.main!.rule
        try releaseHeld(decision.needs)
        let writable = try writable()
        var cursor = reported.withLock { $0 }
        try recordFailure(error, rule) { () throws(StorageError) in
            try withCache(writable) { (cache, file) throws(StorageError) in
                try cache.lose(loss, error, rule: rule, reporting: &cursor) { cache throws(StorageError) in
                    try cache.restoreSynced(loss, file)
                }
            }
        }
        if loss.reportsLate { return }
        reported.withLock { $0 = cursor }
        throw injected(.sync, error, rule)
    }

    /// Throws a writeback error that this open file has not reported yet.
    private func throwUnreportedError() throws(StorageError) {
        let errors = node.content.withLock { $0.cache.errors }
        guard let (error, rule) = reported.withLock({ errors.report(to: &$0) }) else { return }
        storage.recording?.record(fault: rule)
        throw injected(.sync, error, rule)
    }
}

extension PageCache {
    /// Writes all held writes to the file, in rank order.
    fileprivate mutating func releaseAll(_ file: CachedFile, _ needs: FaultNeeds) throws(StorageError) {
        while let next = nextHeld { try release(next, file, Retention(needs)) }
    }
}

extension PageCache.Retention {
    fileprivate init(_ needs: FaultNeeds) {
        self = []
        if needs.olderBytes { insert(.older) }
        if needs.syncedBytes { insert(.synced) }
    }
}

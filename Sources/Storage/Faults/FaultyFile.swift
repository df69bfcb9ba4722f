import Bytes
import Glibc
import Model

/// A file of a `FaultyStorage`.
final class FaultyFile<Source: FaultSource>: StorageFile {
    private let wrapped: any StorageFile
    private let node: FaultyNode
    private let storage: FaultyStorage<Source>
    /// How many losses this open file has reported.
    private let seenLosses: Guarded<Int>

    init(_ wrapped: any StorageFile, _ node: FaultyNode, _ storage: FaultyStorage<Source>) {
        self.wrapped = wrapped
        self.node = node
        self.storage = storage
        seenLosses = Guarded(node.content.withLock { $0.lossCount })
    }

    private func injected(_ call: StorageCall, _ error: ErrorNumber, _ rule: ByteString) -> StorageError {
        .injected(call, name: node.name, errno: error.rawValue, rule: rule)
    }

    private func withContent<Result>(
        _ body: (inout FaultyContent) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try node.content.withLock { (content) throws(StorageError) in try body(&content) }
    }

    // MARK: - Reading

    func read(into buffer: UnsafeMutableRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) -> Int {
        var done = 0
        var interruptions = 0
        while true {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let offset = offsetBytes &+ UInt64(done)
            let verdict = try decideRead(rest.count, at: offset)
            switch verdict.main?.fault {
            case .fail(.interrupted) where interruptions < FaultyStorage<Source>.patience: interruptions += 1
            case .short(let count) where count < UInt64(rest.count):
                let part = UnsafeMutableRawBufferPointer(rebasing: rest[..<Int(count)])
                let got = try withContent { (content) throws(StorageError) in
                    try content.read(wrapped, into: part, at: offset)
                }
                done += got
                interruptions = 0
                if got < part.count || got == 0 { return done }
            case let fault: return done + (try read(fault, verdict.main?.rule ?? "", into: rest, at: offset))
            }
        }
    }

    private func decideRead(_ count: Int, at offset: UInt64) throws(StorageError) -> FaultyStorage<Source>.Verdict {
        try storage.decide(.read, .read, node) { (attempt, needs) throws(StorageError) in
            attempt.offsetBytes = offset
            attempt.countBytes = UInt64(count)
            attempt.fileSizeBytes = try wrapped.length()
            let end = offset.addingReportingOverflow(UInt64(count)).partialValue
            if needs.olderBytes, end > offset {
                attempt.hasOlderBytes = node.content.withLock { $0.hasOlderBytes(offset..<end) }
            }
        }
    }

    /// The read that ends a call.
    private func read(
        _ fault: DrawnFault?, _ rule: ByteString, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(StorageError) -> Int {
        if case .fail(let error)? = fault { throw injected(.read, error, rule) }
        if case .bitflip(let place, let bit, .atRest)? = fault { try flip(place, bit) }
        let count = try withContent { (content) throws(StorageError) in
            if case .misdirect(let place)? = fault { return try content.read(wrapped, into: buffer, at: place) }
            let count = try content.read(wrapped, into: buffer, at: offset)
            let got = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            switch fault {
            case .stale: content.overlayOlderBytes(got, at: offset)
            case .bitflip(let place, let bit, .inFlight) where place >= offset && place - offset < UInt64(count):
                got[Int(place - offset)] ^= 1 << bit
            default: break
            }
            return count
        }
        if case .crash? = fault { try storage.crash(rule, .read, node.name) }
        return count
    }

    /// Changes a bit of the file itself, which may be open here for reading alone.
    private func flip(_ offset: UInt64, _ bit: UInt8) throws(StorageError) {
        let file = try storage.wrapped.open(node.name)
        for byte in try file.read(countBytes: 1, at: offset) { try file.write([byte ^ 1 << bit], at: offset) }
    }

    // MARK: - Writing

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(StorageError) {
        var done = 0
        var interruptions = 0
        repeat {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let offset = offsetBytes &+ UInt64(done)
            let verdict = try decideGrowing(.write, .write, offset, UInt64(rest.count))
            switch verdict.main?.fault {
            case .fail(.interrupted) where interruptions < FaultyStorage<Source>.patience:
                interruptions += 1
                continue
            case .short(let count) where count < UInt64(rest.count):
                // A device that takes nothing and says so is one that fails.
                if count == 0 { throw injected(.write, .ioError, verdict.main!.rule) }
                let part = UnsafeRawBufferPointer(rebasing: rest[..<Int(count)])
                try withContent { (content) throws(StorageError) in
                    try content.write(wrapped, part, at: offset, verdict.needs)
                }
                done += part.count
                interruptions = 0
            case let fault: return try write(fault, verdict, rest, at: offset)
            }
        } while true
    }

    private func decideGrowing(
        _ kind: OperationKind, _ call: StorageCall, _ offset: UInt64, _ count: UInt64
    ) throws(StorageError) -> FaultyStorage<Source>.Verdict {
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

    /// The write that ends a call.
    private func write(
        _ fault: DrawnFault?, _ verdict: FaultyStorage<Source>.Verdict, _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64
    ) throws(StorageError) {
        let rule = verdict.main?.rule ?? ""
        if case .fail(let error)? = fault { throw injected(.write, error, rule) }
        try withContent { (content) throws(StorageError) in
            switch fault {
            case .drop: break
            case .reorder(let rank): return try content.hold(wrapped, rank: rank, bytes, at: offset, verdict.needs)
            case .misdirect(let place): try content.write(wrapped, bytes, at: place, verdict.needs)
            case .tear(let lost):
                let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
                guard !overflow else { break }
                let gap = lost.clamped(to: offset..<end)
                let parts = [0..<Int(gap.lowerBound - offset), Int(gap.upperBound - offset)..<bytes.count]
                for part in parts where !part.isEmpty {
                    let part = UnsafeRawBufferPointer(rebasing: bytes[part])
                    let place = part.baseAddress == bytes.baseAddress ? offset : gap.upperBound
                    try content.write(wrapped, part, at: place, verdict.needs)
                }
            default: return try content.write(wrapped, bytes, at: offset, verdict.needs)
            }
            // The size does not tell that data is missing.
            try content.extend(wrapped, toCover: offset, UInt64(bytes.count), verdict.needs)
        }
        if case .crash? = fault { try storage.crash(rule, .write, node.name) }
    }

    func truncate(to sizeBytes: UInt64) throws(StorageError) {
        try perform(.truncate, .truncate) { () throws(StorageError) in
            try storage.decide(.truncate, .truncate, node) { (attempt, needs) throws(StorageError) in
                guard needs.growth else { return }
                attempt.growthBytes = Int64(clamping: sizeBytes) - Int64(clamping: try wrapped.length())
            }
        } _: { (content, needs) throws(StorageError) in
            try content.truncate(wrapped, to: sizeBytes, needs)
        }
    }

    func preallocate(at offsetBytes: UInt64, countBytes: UInt64) throws(StorageError) {
        try perform(.allocate, .preallocate) { () throws(StorageError) in
            try decideGrowing(.allocate, .preallocate, offsetBytes, countBytes)
        } _: { (content, needs) throws(StorageError) in
            try content.preallocate(wrapped, at: offsetBytes, countBytes, needs)
        }
    }

    func length() throws(StorageError) -> UInt64 {
        try perform(.getattr, .length) { () throws(StorageError) in
            try storage.decide(.getattr, .length, node) { (_, _) in }
        } _: { (_, _) throws(StorageError) in
            try wrapped.length()
        }
    }

    /// An operation that has no faults of its own.
    private func perform<Result>(
        _ kind: OperationKind, _ call: StorageCall,
        _ decide: () throws(StorageError) -> FaultyStorage<Source>.Verdict,
        _ body: (inout FaultyContent, FaultNeeds) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        var interruptions = 0
        while true {
            let verdict = try decide()
            switch verdict.main?.fault {
            case .fail(.interrupted) where interruptions < FaultyStorage<Source>.patience: interruptions += 1
            case .fail(let error): throw injected(call, error, verdict.main!.rule)
            case let fault:
                let result = try withContent { (content) throws(StorageError) in try body(&content, verdict.needs) }
                if case .crash? = fault { try storage.crash(verdict.main!.rule, call, node.name) }
                return result
            }
        }
    }

    // MARK: - Syncing

    func sync() throws(StorageError) {
        var interruptions = 0
        while true {
            let verdict = try storage.decide(.fdatasync, .sync, node) { (_, _) in }
            switch verdict.main?.fault {
            case .fail(.interrupted) where interruptions < FaultyStorage<Source>.patience: interruptions += 1
            case .fail(let error): throw fail(error, verdict.main!.rule)
            case .lose(let error, let loss): return try lose(error, loss, verdict)
            case .lie: return
            case let fault:
                try reportLoss()
                try flush(verdict.needs)
                if case .crash? = fault { try storage.crash(verdict.main!.rule, .sync, node.name) }
                return try storage.checkPower(.sync, node.name)
            }
        }
    }

    private func flush(_ needs: FaultNeeds) throws(StorageError) {
        let covered = try withContent { (content) throws(StorageError) in
            try content.release(wrapped, needs)
            return content.beginSync()
        }
        do throws(StorageError) {
            try wrapped.sync()
        } catch {
            node.content.withLock { $0.syncFailed(covered) }
            throw error
        }
    }

    /// A sync that promises nothing, in the trace too.
    private func fail(_ error: ErrorNumber, _ rule: ByteString) -> StorageError {
        (wrapped as? RecordingFile)?.recordFailedSync(errno: error.rawValue, fault: rule)
        return injected(.sync, error, rule)
    }

    private func lose(
        _ error: ErrorNumber, _ loss: FsyncLoss, _ verdict: FaultyStorage<Source>.Verdict
    ) throws(StorageError) {
        let rule = verdict.main!.rule
        let count = try withContent { (content) throws(StorageError) in
            try content.lose(wrapped, loss, error, rule: rule, verdict.needs)
            return content.lossCount
        }
        let failure = fail(error, rule)
        if loss.reportsLate { return }
        seenLosses.withLock { $0 = count }
        throw failure
    }

    /// Throws the error of a loss that this open file has not reported.
    private func reportLoss() throws(StorageError) {
        let (count, last) = node.content.withLock { ($0.lossCount, $0.lastLoss) }
        let isNew = seenLosses.withLock { seen in
            defer { seen = count }
            return seen < count
        }
        if isNew, let last { throw fail(last.error, last.rule) }
    }
}

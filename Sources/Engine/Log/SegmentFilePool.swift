import Bytes
import Storage

/// Open segments for readers: at most `capacity` of them, the least recently used closed first.
final class SegmentFilePool: Sendable {
    private struct State {
        var files: [UInt32: (file: any StorageFile, lastUse: UInt64)] = [:]
        var uses: UInt64 = 0
    }

    private let storage: any Storage
    private let shard: UInt16
    private let capacity: Int
    private let state = Guarded(State())

    init(storage: any Storage, shard: UInt16, capacity: Int = 64) {
        self.storage = storage
        self.shard = shard
        self.capacity = capacity
    }

    func file(_ sequence: UInt32) throws(EngineError) -> any StorageFile {
        let known = state.withLock { state -> (any StorageFile)? in
            state.uses += 1
            state.files[sequence]?.lastUse = state.uses
            return state.files[sequence]?.file
        }
        if let known { return known }
        // Two threads may open the same segment at once; the later one stays, both work.
        let file = try throughStorage { () throws(StorageError) in
            try storage.openForReading(SegmentName(shard: shard, sequence: sequence).fileName)
        }
        state.withLock { state in
            state.files[sequence] = (file, state.uses)
            if state.files.count > capacity, let oldest = state.files.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.files[oldest.key] = nil
            }
        }
        return file
    }

    /// Reads a value, and trusts nothing of its record before its checksum was right.
    func value(of key: ByteString, at location: ValueLocation, isChecked: Bool = true) throws(EngineError) -> [UInt8] {
        let file = try file(location.sequence)
        let size = Frame.size(keyCount: key.count, payloadCount: Int(location.payloadCount))
        func read() throws(EngineError) -> (bytes: [UInt8], reason: DamageReason?) {
            let bytes = try throughStorage { () throws(StorageError) in
                try file.read(countBytes: size, at: UInt64(location.offsetBytes))
            }
            return (
                bytes, bytes.withUnsafeBytes { Frame.mismatch($0, lsn: location.lsn, key: key, sizeBytes: size) }
            )
        }
        var (frame, reason) = try read()
        // What is wrong may have happened on the way here.
        if reason != nil, isChecked { (frame, reason) = try read() }
        if let reason, isChecked || frame.count < size {
            let name = SegmentName(shard: shard, sequence: location.sequence).fileName
            throw .damaged(Damage(segment: name, offsetBytes: UInt64(location.offsetBytes), reason: reason))
        }
        return Array(frame[(Frame.headerSizeBytes + key.count)..<(size - Frame.checksumSizeBytes)])
    }

    /// Closes segments that were removed.
    func forget(_ sequences: [UInt32]) {
        state.withLock { state in for sequence in sequences { state.files[sequence] = nil } }
    }

    func close() { state.withLock { $0.files = [:] } }
}

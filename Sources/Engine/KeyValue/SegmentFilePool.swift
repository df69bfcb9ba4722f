import Bytes
import Platform
import Storage

/// A cache of at most `capacity` open segments for readers. It is direct-mapped by segment number: a newly opened segment
/// evicts the one with the same number modulo `capacity`.
final class SegmentFilePool<C: Coordination>: @unchecked Sendable {
    private struct OpenSegment {
        var sequence: UInt32
        var file: any StorageFile
    }

    private let storage: any Storage
    private let shard: UInt16
    private let capacity: Int
    private let gate = C.Gate(name: "segment file gate")
    /// Empty until the first segment is opened. Guarded by the gate.
    private var places: [OpenSegment?] = []

    init(storage: any Storage, shard: UInt16, capacity: Int = 64) {
        self.storage = storage
        self.shard = shard
        self.capacity = capacity
    }

    func file(_ sequence: UInt32) throws(EngineError) -> any StorageFile {
        let place = Int(sequence) % capacity
        let known = gate.withLock { () -> (any StorageFile)? in
            guard !places.isEmpty, let known = places[place], known.sequence == sequence else { return nil }
            return known.file
        }
        if let known { return known }
        // Two threads may open the same segment concurrently. Both files work; the later one stays in the cache.
        let file = try throughStorage { () throws(StorageError) in
            try storage.openForReading(SegmentName(shard: shard, sequence: sequence).fileName)
        }
        gate.withLock {
            if places.isEmpty { places = Array(repeating: nil, count: capacity) }
            places[place] = OpenSegment(sequence: sequence, file: file)
        }
        return file
    }

    /// Reads a value, after it has verified the checksum of the record.
    @_specialize(where C == SystemCoordination)
    func value(of key: ByteString, at location: ValueLocation, isChecked: Bool = true) throws(EngineError) -> [UInt8] {
        let file = try file(location.sequence)
        let size = Frame.size(keyCount: key.count, payloadCount: Int(location.payloadCount))
        return try withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { (frame) throws(EngineError) in
            func mismatch() throws(EngineError) -> (readCount: Int, reason: DamageReason?) {
                let count = try throughStorage { () throws(StorageError) in
                    try file.read(into: frame, at: UInt64(location.offsetBytes))
                }
                let read = UnsafeRawBufferPointer(rebasing: frame[..<count])
                let reason = Frame.mismatch(
                    read, lsn: location.lsn, at: location.offsetBytes, key: key, sizeBytes: size)
                return (count, reason)
            }
            var (count, reason) = try mismatch()
            // The error may have been in the read, so read once more.
            if reason != nil, isChecked { (count, reason) = try mismatch() }
            if let reason, isChecked || count < size {
                let name = SegmentName(shard: shard, sequence: location.sequence).fileName
                throw .damaged(Damage(segment: name, offsetBytes: UInt64(location.offsetBytes), reason: reason))
            }
            return Array(frame[(Frame.headerSizeBytes + key.count)..<(size - Frame.checksumSizeBytes)])
        }
    }

    /// Closes removed segments.
    func forget(_ sequences: [UInt32]) {
        gate.withLock {
            guard !places.isEmpty else { return }
            for sequence in sequences where places[Int(sequence) % capacity]?.sequence == sequence {
                places[Int(sequence) % capacity] = nil
            }
        }
    }

    func close() { gate.withLock { places = [] } }
}

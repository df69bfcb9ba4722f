import Bytes
import Platform
import Storage

/// Open segments for readers: at most `capacity` of them. Each segment has one place by its number, shared with those that
/// lie a multiple of `capacity` away; whichever of them was opened last stays open.
final class SegmentFilePool: Sendable {
    private struct OpenSegment {
        var sequence: UInt32
        var file: any StorageFile
    }

    private let storage: any Storage
    private let shard: UInt16
    private let capacity: Int
    /// Empty until the first is opened.
    private let places = Guarded<[OpenSegment?]>([])

    init(storage: any Storage, shard: UInt16, capacity: Int = 64) {
        self.storage = storage
        self.shard = shard
        self.capacity = capacity
    }

    func file(_ sequence: UInt32) throws(EngineError) -> any StorageFile {
        let place = Int(sequence) % capacity
        let known = places.withLock { places -> (any StorageFile)? in
            guard !places.isEmpty, let known = places[place], known.sequence == sequence else { return nil }
            return known.file
        }
        if let known { return known }
        // Two threads may open the same segment at once; the later one stays, both work.
        let file = try throughStorage { () throws(StorageError) in
            try storage.openForReading(SegmentName(shard: shard, sequence: sequence).fileName)
        }
        places.withLock { places in
            if places.isEmpty { places = Array(repeating: nil, count: capacity) }
            places[place] = OpenSegment(sequence: sequence, file: file)
        }
        return file
    }

    /// Reads a value, and trusts nothing of its record before its checksum was right.
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
            // What is wrong may have happened on the way here.
            if reason != nil, isChecked { (count, reason) = try mismatch() }
            if let reason, isChecked || count < size {
                let name = SegmentName(shard: shard, sequence: location.sequence).fileName
                throw .damaged(Damage(segment: name, offsetBytes: UInt64(location.offsetBytes), reason: reason))
            }
            return Array(frame[(Frame.headerSizeBytes + key.count)..<(size - Frame.checksumSizeBytes)])
        }
    }

    /// Closes segments that were removed.
    func forget(_ sequences: [UInt32]) {
        places.withLock { places in
            guard !places.isEmpty else { return }
            for sequence in sequences where places[Int(sequence) % capacity]?.sequence == sequence {
                places[Int(sequence) % capacity] = nil
            }
        }
    }

    func close() { places.withLock { $0 = [] } }
}

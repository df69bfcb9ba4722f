import Bytes

/// One record as it lies in a segment (docs/log-format.md):
///
///     0  magic "FLOG" │ 4 version │ 5 type │ 6 unsynced count │ 8 LSN │ 16 key length │ 20 payload length
///     24 key │ payload │ CRC32C of everything before it, extending the frame's offset
///
/// All integers are little-endian. There is no padding: the next frame begins where this one ends.
///
/// The unsynced count says how far the log was durable when the record was appended. It is what tells damage from a torn
/// tail: a whole record behind a gap proves that the gap was durable once, or says nothing. The checksum covers the
/// offset, so that a value that holds the bytes of a log bears no witness.
package struct Frame {
    static let magic: UInt32 = 0x474F_4C46
    /// What is written. Version 1, whose records do not know how far the log was durable, is read.
    static let version: UInt8 = 2
    static let headerSizeBytes = 24
    static let checksumSizeBytes = 4
    /// Header and checksum: what a record costs beyond its key and payload.
    static let overheadBytes = headerSizeBytes + checksumSizeBytes
    static let largestSizeBytes = overheadBytes + LogLimits.keySizeBytes + LogLimits.payloadSizeBytes

    package let type: RecordType
    package let lsn: UInt64
    /// How many records before this one were not known to be durable when it was appended. The largest value says nothing. Of
    /// the frame of a segment it is `SegmentHeader.reservedPages`.
    let unsyncedCount: UInt16
    /// Where the frame begins in its segment.
    let offsetBytes: UInt32
    /// The key and the payload, in the memory of whoever decoded the frame.
    package let key: UnsafeRawBufferPointer
    package let payload: UnsafeRawBufferPointer

    var sizeBytes: Int { Self.size(keyCount: key.count, payloadCount: payload.count) }

    /// A record up to which everything was durable before this one was written; 0 when that is not known.
    var durableLSN: UInt64 {
        let before = UInt64(unsyncedCount) + 1
        return unsyncedCount == .max || before > lsn ? 0 : lsn - before
    }

    @inline(__always)
    package static func size(keyCount: Int, payloadCount: Int) -> Int { overheadBytes + keyCount + payloadCount }

    /// What a record says that is appended while everything up to `durableLSN` is durable.
    @inline(__always)
    static func unsyncedCount(lsn: UInt64, durableLSN: UInt64) -> UInt16 {
        UInt16(truncatingIfNeeded: min(lsn &- 1 &- durableLSN, UInt64(UInt16.max)))
    }

    /// Writes a frame that fills `target` exactly, and that will lie at `offsetBytes` of its segment.
    @inline(__always)
    static func encode(
        _ type: RecordType, lsn: UInt64, unsyncedCount: UInt16, at offsetBytes: UInt32, key: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) {
        assert(target.count == size(keyCount: key.count, payloadCount: payload.count))
        let base = target.baseAddress!
        // Magic, version, type and count as one store: append is measured in nanoseconds.
        let start =
            UInt64(magic) | UInt64(version) << 32 | UInt64(type.rawValue) << 40 | UInt64(unsyncedCount) << 48
        base.storeBytes(of: start.littleEndian, as: UInt64.self)
        base.storeBytes(of: lsn.littleEndian, toByteOffset: 8, as: UInt64.self)
        let lengths = UInt64(UInt32(key.count)) | UInt64(UInt32(payload.count)) << 32
        base.storeBytes(of: lengths.littleEndian, toByteOffset: 16, as: UInt64.self)
        var end = headerSizeBytes
        if let source = key.baseAddress { (base + end).copyMemory(from: source, byteCount: key.count) }
        end += key.count
        if let source = payload.baseAddress { (base + end).copyMemory(from: source, byteCount: payload.count) }
        end += payload.count
        let body = UnsafeRawBufferPointer(start: base, count: end)
        let checksum = CRC32C.checksum(body, extending: checksumStart(version: version, at: UInt64(offsetBytes)))
        base.storeBytes(of: checksum.littleEndian, toByteOffset: end, as: UInt32.self)
    }

    /// A frame in memory of its own.
    static func encoded(
        _ type: RecordType, lsn: UInt64, unsyncedCount: UInt16, at offsetBytes: UInt32, key: [UInt8] = [],
        payload: [UInt8] = []
    ) -> [UInt8] {
        let size = size(keyCount: key.count, payloadCount: payload.count)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            key.withUnsafeBytes { key in
                payload.withUnsafeBytes { payload in
                    encode(
                        type, lsn: lsn, unsyncedCount: unsyncedCount, at: offsetBytes, key: key, payload: payload,
                        into: UnsafeMutableRawBufferPointer(buffer))
                }
            }
            count = size
        }
    }

    /// The checksum that the one of a frame extends: its offset, since version 2. The frame of a segment lies at 0, so that
    /// its checksum is that of its bytes alone in every version.
    @inline(__always)
    static func checksumStart(version: UInt8, at offsetBytes: UInt64) -> UInt32 {
        version == 1 ? 0 : UInt32(truncatingIfNeeded: offsetBytes)
    }

    /// The lengths that the header at the start of `bytes` claims, checked against the limits of the format and against
    /// `availableBytes`, which is what the file still holds. Nothing else of the header is judged here: only the
    /// checksum says whether it was written whole.
    static func checkedSize(
        of bytes: UnsafeRawBufferPointer, availableBytes: UInt64
    ) throws(DamageReason) -> (keyCount: Int, payloadCount: Int) {
        let found = bytes.littleEndian(UInt32.self, at: 0)
        guard found == magic else { throw .wrongMagic(found) }
        let keyCount = bytes.littleEndian(UInt32.self, at: 16)
        let payloadCount = bytes.littleEndian(UInt32.self, at: 20)
        guard keyCount <= LogLimits.keySizeBytes else { throw .keyTooLarge(keyCount) }
        guard payloadCount <= LogLimits.payloadSizeBytes else { throw .payloadTooLarge(payloadCount) }
        let size = size(keyCount: Int(keyCount), payloadCount: Int(payloadCount))
        guard UInt64(size) <= availableBytes else { throw .cutShort }
        return (Int(keyCount), Int(payloadCount))
    }
}

extension Frame {
    /// What is wrong with the bytes of a record that is known to lie here; nil when it is whole and the one expected.
    static func mismatch(
        _ bytes: UnsafeRawBufferPointer, lsn: UInt64, at offsetBytes: UInt32, key: ByteString, sizeBytes: Int
    ) -> DamageReason? {
        guard bytes.count == sizeBytes else { return .cutShort }
        do throws(DamageReason) {
            let counts = try checkedSize(of: bytes, availableBytes: UInt64(sizeBytes))
            let body = UnsafeRawBufferPointer(rebasing: bytes.dropLast(checksumSizeBytes))
            let found = bytes.littleEndian(UInt32.self, at: body.count)
            let start = checksumStart(version: bytes[4], at: UInt64(offsetBytes))
            let expected = CRC32C.checksum(body, extending: start)
            guard found == expected else { return .wrongChecksum(found: found, expected: expected) }
            let foundLSN: UInt64 = bytes.littleEndian(at: 8)
            let foundKey = UnsafeRawBufferPointer(rebasing: bytes[headerSizeBytes..<headerSizeBytes + counts.keyCount])
            guard foundLSN == lsn, key.bytes.withUnsafeBytes({ $0.isSame(as: foundKey) }) else {
                return .wrongLSN(found: LSN(foundLSN), expected: LSN(lsn))
            }
            return nil
        } catch {
            return error
        }
    }
}

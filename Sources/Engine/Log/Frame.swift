import Bytes

/// A record in a segment (docs/log-format.md):
///
///     0  magic "FLOG" │ 4 version │ 5 type │ 6 unsynced count │ 8 LSN │ 16 key length │ 20 payload length
///     24 key │ payload │ CRC32C of everything before it, extending the frame's offset
///
/// All integers are little-endian. There is no padding: the next frame begins where this one ends.
///
/// The unsynced count tells how far the log was durable when the record was appended. It distinguishes damage from a torn
/// tail: a whole record after a gap may prove that the gap was durable. The checksum covers the offset, so that a value
/// that contains bytes of a log is not mistaken for a record.
package struct Frame {
    static let magic: UInt32 = 0x474F_4C46
    /// The version of written records. Version 1, whose records have no unsynced count, can be read.
    static let version: UInt8 = 2
    static let headerSizeBytes = 24
    static let checksumSizeBytes = 4
    /// The overhead of a record beyond its key and payload: header and checksum.
    static let overheadBytes = headerSizeBytes + checksumSizeBytes
    static let largestSizeBytes = overheadBytes + LogLimits.keySizeBytes + LogLimits.payloadSizeBytes

    package let type: RecordType
    package let lsn: UInt64
    /// The number of earlier records not known to be durable when this one was appended. The largest value means unknown. In
    /// the frame of a segment header it is `SegmentHeader.reservedPages`.
    let unsyncedCount: UInt16
    /// The offset of the frame in its segment.
    let offsetBytes: UInt32
    /// The key and the payload, in the decoder's memory.
    package let key: UnsafeRawBufferPointer
    package let payload: UnsafeRawBufferPointer

    var sizeBytes: Int { Self.size(keyCount: key.count, payloadCount: payload.count) }

    /// All records up to this LSN were durable before this one was written; 0 if that is not known.
    var durableLSN: UInt64 {
        let before = UInt64(unsyncedCount) + 1
        return unsyncedCount == .max || before > lsn ? 0 : lsn - before
    }

    @inline(__always)
    package static func size(keyCount: Int, payloadCount: Int) -> Int { overheadBytes + keyCount + payloadCount }

    /// The unsynced count of a record that is appended while everything up to `durableLSN` is durable.
    @inline(__always)
    static func unsyncedCount(lsn: UInt64, durableLSN: UInt64) -> UInt16 {
        UInt16(truncatingIfNeeded: min(lsn &- 1 &- durableLSN, UInt64(UInt16.max)))
    }

    /// Encodes a frame that fills `target` exactly and will be written at `offsetBytes` of its segment.
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

    /// An encoded frame in new memory.
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

    /// The start value of a frame's checksum: the checksum of its offset, since version 2. For the frame at offset 0, the
    /// segment header, it is the same in every version.
    @inline(__always)
    static func checksumStart(version: UInt8, at offsetBytes: UInt64) -> UInt32 {
        version == 1 ? 0 : UInt32(truncatingIfNeeded: offsetBytes)
    }

    /// The lengths in the header at the start of `bytes`, checked against the limits of the format and against
    /// `availableBytes`, the rest of the file. Other fields are not checked here, because only the checksum shows whether
    /// the header is valid.
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
    /// The damage of a record that is known to lie here; nil if it is whole and the expected one.
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

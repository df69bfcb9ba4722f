import Bytes

/// One record as it lies in a segment (docs/log-format.md):
///
///     0  magic "FLOG" │ 4 version │ 5 type │ 6 flags, zero │ 8 LSN │ 16 key length │ 20 payload length
///     24 key │ payload │ CRC32C of everything before it
///
/// All integers are little-endian. There is no padding: the next frame begins where this one ends.
struct Frame {
    static let magic: UInt32 = 0x474F_4C46
    static let version: UInt8 = 1
    static let headerSizeBytes = 24
    static let checksumSizeBytes = 4
    /// Header and checksum: what a record costs beyond its key and payload.
    static let overheadBytes = headerSizeBytes + checksumSizeBytes
    static let largestSizeBytes = overheadBytes + LogLimits.keySizeBytes + LogLimits.payloadSizeBytes

    let type: RecordType
    let lsn: UInt64
    /// Where the frame begins in its segment.
    let offsetBytes: UInt32
    /// The key and the payload, in the memory of whoever decoded the frame.
    let key: UnsafeRawBufferPointer
    let payload: UnsafeRawBufferPointer

    var sizeBytes: Int { Self.size(keyCount: key.count, payloadCount: payload.count) }

    @inline(__always)
    static func size(keyCount: Int, payloadCount: Int) -> Int { overheadBytes + keyCount + payloadCount }

    /// Writes a frame that fills `target` exactly.
    @inline(__always)
    static func encode(
        _ type: RecordType, lsn: UInt64, key: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer
    ) {
        assert(target.count == size(keyCount: key.count, payloadCount: payload.count))
        let base = target.baseAddress!
        // Magic, version, type and zero flags as one store: append is measured in nanoseconds.
        let start = UInt64(magic) | UInt64(version) << 32 | UInt64(type.rawValue) << 40
        base.storeBytes(of: start.littleEndian, as: UInt64.self)
        base.storeBytes(of: lsn.littleEndian, toByteOffset: 8, as: UInt64.self)
        let lengths = UInt64(UInt32(key.count)) | UInt64(UInt32(payload.count)) << 32
        base.storeBytes(of: lengths.littleEndian, toByteOffset: 16, as: UInt64.self)
        var end = headerSizeBytes
        if let source = key.baseAddress { (base + end).copyMemory(from: source, byteCount: key.count) }
        end += key.count
        if let source = payload.baseAddress { (base + end).copyMemory(from: source, byteCount: payload.count) }
        end += payload.count
        let checksum = CRC32C.checksum(UnsafeRawBufferPointer(start: base, count: end))
        base.storeBytes(of: checksum.littleEndian, toByteOffset: end, as: UInt32.self)
    }

    /// A frame in memory of its own.
    static func encoded(_ type: RecordType, lsn: UInt64, key: [UInt8] = [], payload: [UInt8] = []) -> [UInt8] {
        let size = size(keyCount: key.count, payloadCount: payload.count)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            key.withUnsafeBytes { key in
                payload.withUnsafeBytes { payload in
                    encode(
                        type, lsn: lsn, key: key, payload: payload, into: UnsafeMutableRawBufferPointer(buffer))
                }
            }
            count = size
        }
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
        _ bytes: UnsafeRawBufferPointer, lsn: UInt64, key: ByteString, sizeBytes: Int
    ) -> DamageReason? {
        guard bytes.count == sizeBytes else { return .cutShort }
        do throws(DamageReason) {
            let counts = try checkedSize(of: bytes, availableBytes: UInt64(sizeBytes))
            let body = UnsafeRawBufferPointer(rebasing: bytes.dropLast(checksumSizeBytes))
            let found = bytes.littleEndian(UInt32.self, at: body.count)
            let expected = CRC32C.checksum(body)
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

import Bytes
import Crypto

/// The SHA-256 of an event's content, by which duplicates are found. Different events with equal hashes cannot be
/// constructed.
struct ContentHash: Hashable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64)

    init(_ event: Event) {
        // Lengths first, so that bytes cannot move from one field to the next.
        var content: [UInt8] = []
        content.reserveCapacity(24 + event.entity.count + event.type.count)
        content.appendLittleEndian(UInt32(clamping: event.entity.count))
        content.appendLittleEndian(UInt32(clamping: event.type.count))
        content.appendLittleEndian(event.timestamp)
        content.appendLittleEndian(event.weight.bitPattern)
        content += event.entity.bytes
        content += event.type.bytes
        var hash = SHA256()
        content.withUnsafeBytes { hash.update(bufferPointer: $0) }
        words = hash.finalize().withUnsafeBytes {
            (
                $0.littleEndian(at: 0), $0.littleEndian(at: 8), $0.littleEndian(at: 16), $0.littleEndian(at: 24)
            )
        }
    }

    /// Only for the planted bug that skips `compareWholeHash`: a hash of 12 bits of the entity.
    init(weak event: Event) {
        words = (UInt64(CRC32C.checksum(event.entity.bytes) & 0xFFF), 0, 0, 0)
    }

    static func == (left: ContentHash, right: ContentHash) -> Bool { left.words == right.words }

    /// The bits of SHA-256 need no further hashing.
    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

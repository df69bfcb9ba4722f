import Bytes
import Storage

/// Checksums of the prefixes of a file, from which the checksum of any range follows in constant time.
///
/// The bytes after a torn record may be anything, because values are user data. Each byte that looks like a header may claim
/// a record of 64 MiB; checking them one by one would take time quadratic in the length of the file.
struct PrefixChecksums {
    static let blockSizeBytes = 4096
    private static let readCount = 64
    /// The checksum of the first n blocks, for each n computed so far.
    private var ofBlocks: [UInt32] = [0]

    /// The checksum of a range of the file, extending `start`. Wrong if the file changes meanwhile.
    mutating func checksum(
        of range: Range<UInt64>, extending start: UInt32, in file: any StorageFile
    ) throws(StorageError) -> UInt32 {
        let first = try checksum(upTo: range.lowerBound, in: file)
        let second = try checksum(upTo: range.upperBound, in: file)
        return CRC32C.joined(first ^ start, second, secondCount: Int(range.upperBound - range.lowerBound))
    }

    private mutating func checksum(upTo end: UInt64, in file: any StorageFile) throws(StorageError) -> UInt32 {
        let block = Int(end) / Self.blockSizeBytes
        try fill(through: block, file)
        // The file has become shorter.
        guard block < ofBlocks.count else { return 0 }
        let rest = try file.read(countBytes: Int(end) % Self.blockSizeBytes, at: Self.offset(block))
        return CRC32C.checksum(rest, extending: ofBlocks[block])
    }

    private mutating func fill(through block: Int, _ file: any StorageFile) throws(StorageError) {
        while block >= ofBlocks.count {
            let part = try file.read(
                countBytes: Self.readCount * Self.blockSizeBytes, at: Self.offset(ofBlocks.count - 1))
            guard part.count >= Self.blockSizeBytes else { return }
            part.withUnsafeBytes { part in
                for start in stride(from: 0, through: part.count - Self.blockSizeBytes, by: Self.blockSizeBytes) {
                    let block = UnsafeRawBufferPointer(rebasing: part[start..<start + Self.blockSizeBytes])
                    ofBlocks.append(CRC32C.checksum(block, extending: ofBlocks[ofBlocks.count - 1]))
                }
            }
        }
    }

    private static func offset(_ block: Int) -> UInt64 { UInt64(block) * UInt64(blockSizeBytes) }
}

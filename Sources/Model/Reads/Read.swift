import Bytes

/// A part of a crash state that a recovery looked at. Paths are relative to the root of the state, as the crash left it:
/// a file that the recovery renames keeps its path. The root is the empty path.
package enum Read: Hashable, Sendable {
    /// Whether there is such a name, and what kind of file it is. Also of a name that is absent.
    case name(ByteString)
    /// The names in a directory.
    case listing(ByteString)
    case size(ByteString)
    /// Bytes of a file, in whole blocks of `Read.blockBytes`.
    case data(ByteString, Range<UInt64>)
    /// Mode and owner.
    case attributes(ByteString)
    case extendedAttributes(ByteString)

    /// Reads of data are noted in blocks of this size: the smallest unit that a crash keeps or loses.
    package static let blockBytes: UInt64 = 512

    package var path: ByteString {
        switch self {
        case .name(let path), .listing(let path), .size(let path), .data(let path, _), .attributes(let path),
            .extendedAttributes(let path):
            path
        }
    }
}

/// Numbers for reads, so that long lists of them are small. Concurrent lookups are safe while no thread adds one.
package final class ReadTable: @unchecked Sendable {
    package private(set) var reads: [Read] = []
    private var numbers: [Read: Int32] = [:]

    package init() {}

    package subscript(number: Int32) -> Read { reads[Int(number)] }

    package func number(of read: Read) -> Int32 {
        if let known = numbers[read] { return known }
        let number = Int32(reads.count)
        numbers[read] = number
        reads.append(read)
        return number
    }
}

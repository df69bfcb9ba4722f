/// A path that is put together from its end.
///
/// Of a path that is longer than any path can be (PATH_MAX, 4096 bytes), the end alone is kept, behind `.../`: it is
/// only told, and what tells thousands of such paths takes time and memory in proportion to the names, not to their square.
package struct PathFromEnd {
    private static let limitBytes = 4096

    private var names: [ByteString] = []
    private var countBytes = 0
    /// The path is longer than any can be: what is in front is left out.
    package private(set) var isFull = false

    package init() {}

    /// Puts a name in front of those that are there; does nothing once the path is full.
    package mutating func prepend(_ name: ByteString) {
        guard !isFull else { return }
        guard names.isEmpty || countBytes + name.count + 1 <= Self.limitBytes else {
            isFull = true
            return
        }
        names.append(name)
        countBytes += name.count + 1
    }

    package var path: ByteString {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(countBytes + 4)
        if isFull { bytes += "...".utf8 }
        for name in names.reversed() {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "/")) }
            bytes += name.bytes
        }
        return ByteString(bytes)
    }
}

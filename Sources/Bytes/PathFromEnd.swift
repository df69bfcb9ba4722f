/// A path that is built from its last component to its first.
///
/// A path longer than PATH_MAX (4096 bytes) is truncated at the front, to `.../` and its end. Such paths are only
/// printed; the limit keeps printing the paths of a deep tree linear in the names, not quadratic.
package struct PathFromEnd {
    private static let limitBytes = 4096

    private var names: [ByteString] = []
    private var countBytes = 0
    /// Whether the path is truncated.
    package private(set) var isFull = false

    package init() {}

    /// Prepends a component. Does nothing once the path is truncated.
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

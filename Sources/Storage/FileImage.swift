import Glibc
import Model
import Synchronization

/// What a file of a crash state holds, in memory that many storages share until they write to it. Immutable.
package final class FileImage: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
    private let known = Mutex<StateHash?>(nil)

    /// Throws whatever `payloads` throws, and `StorageError` where there is no memory for it.
    init(_ node: Node, payloads: any PayloadStore) throws {
        let count = Int(clamping: node.sizeBytes)
        guard let memory = calloc(max(count, 1), 1) else { throw FileImageError.noMemory(countBytes: count) }
        bytes = UnsafeRawBufferPointer(start: memory, count: count)
        for extent in node.content.slice(0..<node.sizeBytes) {
            try payloads.bytes(of: extent.data).withUnsafeBytes { data in
                let place = UnsafeMutableRawBufferPointer(
                    start: memory + Int(extent.offsetBytes), count: count - Int(extent.offsetBytes))
                place.copyMemory(from: data)
            }
        }
    }

    /// Whether a file is of a size that is worth to be held as it is: nothing is gained by holding large holes.
    static func isWorthIt(_ node: Node) -> Bool {
        let visible = node.content.slice(0..<node.sizeBytes).reduce(0) { $0 + $1.data.countBytes }
        return node.sizeBytes <= 4 << 20 && 2 * visible >= node.sizeBytes
    }

    deinit { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }

    /// A hash of the bytes, worked out when it is first asked for.
    var hash: StateHash {
        known.withLock { known in
            if let known { return known }
            let hash = StateHash(of: bytes)
            known = hash
            return hash
        }
    }
}

/// Why a file of a crash state cannot be held in memory.
enum FileImageError: Error, CustomStringConvertible {
    case noMemory(countBytes: Int)

    var description: String {
        switch self {
        case .noMemory(let count): "there is no memory for a file of \(count) bytes"
        }
    }
}

/// The images of files as they were last asked for: of crash states that differ little, a file that is as it was is
/// not put together again. All who share one must have the same payloads. Thread safe.
package final class FileImages: Sendable {
    private let known = Mutex<[InodeID: (node: Node, image: FileImage)]>([:])

    package init() {}

    func image(_ inode: InodeID, _ node: Node, payloads: any PayloadStore) throws -> FileImage {
        if let last = known.withLock({ $0[inode] }), last.node == node { return last.image }
        let image = try FileImage(node, payloads: payloads)
        known.withLock { $0[inode] = (node, image) }
        return image
    }
}

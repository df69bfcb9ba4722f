import Glibc
import Model
import Platform

/// The content of a file of a crash state. Immutable: storages share it until they write to the file.
package final class FileImage: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
    private let known = Guarded<StateHash?>(nil)

    /// Throws the errors of `payloads`, and `FileImageError` when memory is short.
    init(_ node: Node, payloads: any PayloadStore) throws {
        let count = Int(clamping: node.sizeBytes)
        guard let memory = calloc(max(count, 1), 1) else { throw FileImageError.noMemory(countBytes: count) }
        bytes = UnsafeRawBufferPointer(start: memory, count: count)
        for extent in node.content.slice(0..<node.sizeBytes) {
            try payloads.bytes(of: extent.data).withUnsafeBytes { data in
                let target = UnsafeMutableRawBufferPointer(
                    start: memory + Int(extent.offsetBytes), count: count - Int(extent.offsetBytes))
                target.copyMemory(from: data)
            }
        }
    }

    /// Whether an image is worth its memory: the file is small and at least half of it is data.
    static func isWorthIt(_ node: Node) -> Bool {
        let visible = node.content.slice(0..<node.sizeBytes).reduce(0) { $0 + $1.data.countBytes }
        return node.sizeBytes <= 4 << 20 && 2 * visible >= node.sizeBytes
    }

    deinit { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }

    /// A hash of the bytes, computed on first use.
    var hash: StateHash {
        known.withLock { known in
            if let known { return known }
            let hash = StateHash(of: bytes)
            known = hash
            return hash
        }
    }
}

/// The image does not fit into memory.
enum FileImageError: Error, CustomStringConvertible {
    case noMemory(countBytes: Int)

    var description: String {
        switch self {
        case .noMemory(let count): "not enough memory for a file of \(count) bytes"
        }
    }
}

/// A cache of the latest image of each inode: consecutive crash states mostly have the same files. All users must have
/// the same payloads. Thread safe.
package final class FileImages: Sendable {
    private let known = Guarded<[InodeID: (node: Node, image: FileImage)]>([:])

    package init() {}

    package func image(_ inode: InodeID, _ node: Node, payloads: any PayloadStore) throws -> FileImage {
        if let last = known.withLock({ $0[inode] }), last.node == node { return last.image }
        let image = try FileImage(node, payloads: payloads)
        known.withLock { $0[inode] = (node, image) }
        return image
    }
}

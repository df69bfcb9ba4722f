import Bytes

/// Hashes what is visible of inodes, so that trees that look the same have the same hash, whatever their inodes are
/// called, however their data was written and wherever it is kept.
///
/// An inode's hash is the XOR of its kind, attributes, size, words of content and named children, each mixed with its
/// place. Words of zeros count nothing: a hole, zeros that were written and bytes beyond the end are the same.
struct TreeHasher {
    let payloads: any PayloadStore

    private enum Place: UInt64 {
        case kind = 1
        case attributes, size, extendedAttribute, name
    }

    /// The hash of a whole tree, as a walk would give it.
    func hash(_ tree: Tree) throws -> StateHash { try hash(.root, tree, depth: 0) }

    private func hash(_ inode: InodeID, _ tree: Tree, depth: Int) throws -> StateHash {
        guard depth < TreeHasher.deepest, let node = tree.nodes[inode] else { return .zero }
        var hash = try withoutChildren(node)
        for (name, child) in node.entries where tree.nodes[child] != nil {
            hash ^= .mixed(self.name(name), try self.hash(child, tree, depth: depth + 1))
        }
        return hash
    }

    /// Deeper than any path can be, and no deeper than the stack.
    static let deepest = 4096

    func withoutChildren(_ node: Node) throws -> StateHash {
        var hash = kind(node.kind) ^ attributes(node.attributes) ^ size(node.sizeBytes)
        for (name, value) in node.extendedAttributes { hash ^= extendedAttribute(name, value) }
        return hash ^ (try content(node.content, 0..<node.sizeBytes))
    }

    func kind(_ kind: NodeKind) -> StateHash {
        switch kind {
        case .regular: StateHash(Place.kind.rawValue, 1)
        case .directory: StateHash(Place.kind.rawValue, 2)
        case .fifo: StateHash(Place.kind.rawValue, 3)
        case .socket: StateHash(Place.kind.rawValue, 4)
        case .symbolicLink(let target): StateHash(Place.kind.rawValue << 8, target.bytes)
        }
    }

    func attributes(_ value: Attributes) -> StateHash {
        .mixed(
            StateHash(Place.attributes.rawValue, UInt64(value.mode)),
            StateHash(UInt64(value.owner), UInt64(value.group)))
    }

    func size(_ bytes: UInt64) -> StateHash { StateHash(Place.size.rawValue, bytes) }

    func name(_ name: ByteString) -> StateHash { StateHash(Place.name.rawValue << 8, name.bytes) }

    func extendedAttribute(_ name: ByteString, _ value: ByteString?) -> StateHash {
        guard let value else { return .zero }
        return .mixed(
            StateHash(Place.extendedAttribute.rawValue << 8, name.bytes), StateHash(Place.name.rawValue, value.bytes))
    }

    /// The words of content within `range`; bytes outside of it count as zeros.
    func content(_ content: ExtentMap, _ range: Range<UInt64>) throws -> StateHash {
        var words = Words()
        for extent in content.slice(range) {
            try payloads.bytes(of: extent.data).withUnsafeBytes { words.take($0, at: extent.offsetBytes) }
        }
        words.finish()
        return words.hash
    }
}

extension Tree {
    /// A hash of what is visible of the tree. Trees that look the same have the same hash, whatever their inodes are
    /// called and wherever their data is kept. Throws when `payloads` cannot be read.
    public func hash(payloads: any PayloadStore) throws -> StateHash { try TreeHasher(payloads: payloads).hash(self) }
}

/// Hashes runs of bytes in the order of their places, a word of eight at a time.
private struct Words {
    var hash = StateHash.zero
    /// A word of which only some bytes are known so far.
    private var place: UInt64 = 0
    private var value: UInt64 = 0

    mutating func take(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) {
        var index = 0
        while index < bytes.count {
            let position = offset + UInt64(index)
            if position % 8 == 0, bytes.count - index >= 8 {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                if word != 0 { hash ^= StateHash((position / 8) << 8, word) }
                index += 8
                continue
            }
            if position / 8 != place {
                finish()
                place = position / 8
            }
            value |= UInt64(bytes[index]) << (position % 8 * 8)
            index += 1
        }
    }

    mutating func finish() {
        if value != 0 { hash ^= StateHash(place << 8, value) }
        value = 0
    }
}

import Bytes

/// Hashes the visible content of inodes. Trees that look the same have the same hash, whatever their inode numbers, the
/// writes that made them and the payloads that hold their data.
///
/// The hash of an inode is the XOR of its kind, attributes, size, words of content and named children, each mixed with its
/// position. Words of zeros are left out, so that a hole, written zeros and bytes beyond the end are equal.
struct TreeHasher {
    let payloads: any PayloadStore

    private enum Field: UInt64 {
        case kind = 1
        case attributes, size, extendedAttribute, name
    }

    /// The hash of a whole tree; equal to the hash that a `StateWalker` computes.
    func hash(_ tree: Tree) throws -> StateHash { try hash(.root, tree, depth: 0) }

    private func hash(_ inode: InodeID, _ tree: Tree, depth: Int) throws -> StateHash {
        guard depth < TreeHasher.maximumDepth, let node = tree.nodes[inode] else { return .zero }
        var hash = try withoutChildren(node)
        for (name, child) in node.entries where tree.nodes[child] != nil {
            hash ^= .mixed(self.name(name), try self.hash(child, tree, depth: depth + 1))
        }
        return hash
    }

    /// The depth limit: more than any path has, and little enough for the stack.
    static let maximumDepth = 4096

    func withoutChildren(_ node: Node) throws -> StateHash {
        var hash = kind(node.kind) ^ attributes(node.attributes) ^ size(node.sizeBytes)
        for (name, value) in node.extendedAttributes { hash ^= extendedAttribute(name, value) }
        return hash ^ (try content(node.content, 0..<node.sizeBytes))
    }

    func kind(_ kind: NodeKind) -> StateHash {
        switch kind {
        case .regular: StateHash(Field.kind.rawValue, 1)
        case .directory: StateHash(Field.kind.rawValue, 2)
        case .fifo: StateHash(Field.kind.rawValue, 3)
        case .socket: StateHash(Field.kind.rawValue, 4)
        case .symbolicLink(let target): StateHash(Field.kind.rawValue << 8, target.bytes)
        }
    }

    func attributes(_ value: Attributes) -> StateHash {
        .mixed(
            StateHash(Field.attributes.rawValue, UInt64(value.mode)),
            StateHash(UInt64(value.owner), UInt64(value.group)))
    }

    func size(_ bytes: UInt64) -> StateHash { StateHash(Field.size.rawValue, bytes) }

    func name(_ name: ByteString) -> StateHash { StateHash(Field.name.rawValue << 8, name.bytes) }

    func extendedAttribute(_ name: ByteString, _ value: ByteString?) -> StateHash {
        guard let value else { return .zero }
        return .mixed(
            StateHash(Field.extendedAttribute.rawValue << 8, name.bytes), StateHash(Field.name.rawValue, value.bytes))
    }

    /// The hash of the words of content within `range`. Bytes outside of it count as zeros.
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
    /// The hash of the visible tree. Trees that look the same have the same hash, whatever their inode numbers and payloads.
    /// Throws if `payloads` cannot be read.
    public func hash(payloads: any PayloadStore) throws -> StateHash { try TreeHasher(payloads: payloads).hash(self) }
}

/// Hashes runs of bytes in the order of their offsets, in words of 8 bytes.
private struct Words {
    var hash = StateHash.zero
    /// The current word, if it is incomplete.
    private var wordIndex: UInt64 = 0
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
            if position / 8 != wordIndex {
                finish()
                wordIndex = position / 8
            }
            value |= UInt64(bytes[index]) << (position % 8 * 8)
            index += 1
        }
    }

    mutating func finish() {
        if value != 0 { hash ^= StateHash(wordIndex << 8, value) }
        value = 0
    }
}

import Bytes

extension Tree {
    /// A 128-bit digest of the tree as a value: equal digests mean equal trees, except for a negligible probability. Unlike
    /// `hash`, which covers the visible tree, it reads no data: equal bytes in two payloads count as different.
    package var digest: StateHash {
        nodes.reduce(.zero) { $0 ^ .mixed(StateHash(1, $1.key.rawValue), $1.value.digest) }
    }
}

extension Node {
    /// A 128-bit digest of the node as a value.
    fileprivate var digest: StateHash {
        var digest = StateHash.mixed(kind.digest, StateHash(2, sizeBytes))
        digest = .mixed(
            digest, StateHash(UInt64(attributes.mode), UInt64(attributes.owner) << 32 | UInt64(attributes.group)))
        for extent in content.extents {
            digest = .mixed(digest, StateHash(extent.offsetBytes, extent.data.offsetBytes))
            digest = .mixed(digest, StateHash(3, extent.data.countBytes))
        }
        var rest = StateHash.zero
        for (name, value) in extendedAttributes {
            rest ^= .mixed(StateHash(of: name.bytes), StateHash(of: value.bytes))
        }
        for (name, inode) in entries { rest ^= .mixed(StateHash(of: name.bytes), StateHash(4, inode.rawValue)) }
        return .mixed(digest, rest)
    }
}

extension NodeKind {
    var digest: StateHash {
        switch self {
        case .regular: StateHash(5, 1)
        case .directory: StateHash(5, 2)
        case .fifo: StateHash(5, 3)
        case .socket: StateHash(5, 4)
        case .symbolicLink(let target): .mixed(StateHash(5, 5), StateHash(of: target.bytes))
        }
    }
}

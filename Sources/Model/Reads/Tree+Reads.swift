import Bytes

extension Tree {
    /// What a recovery of this tree sees at a place that it reads. Equal values mean that it sees the same, except for a
    /// negligible probability; different ones may be the same bytes in two payloads.
    package func value(of read: Read) -> StateHash {
        guard let inode = inode(at: read.path), let node = nodes[inode] else { return .zero }
        switch read {
        // Which inode it is matters where one has several names: what is written by one name is read by another.
        case .name: return .mixed(StateHash(1, inode.rawValue), node.kind.digest)
        case .size: return StateHash(2, node.sizeBytes)
        case .attributes:
            return StateHash(
                UInt64(node.attributes.mode), UInt64(node.attributes.owner) << 32 | UInt64(node.attributes.group))
        case .data(_, let range):
            var digest = StateHash(3, 0)
            for extent in node.content.slice(range.clamped(to: 0..<node.sizeBytes)) {
                digest = .mixed(digest, StateHash(extent.offsetBytes, extent.data.offsetBytes))
                digest = .mixed(digest, StateHash(3, extent.data.countBytes))
            }
            return digest
        case .listing:
            return node.entries.reduce(StateHash(4, 0)) { digest, entry in
                guard let child = nodes[entry.value] else { return digest }
                return digest
                    ^ .mixed(
                        StateHash(of: entry.key.bytes), .mixed(StateHash(6, entry.value.rawValue), child.kind.digest))
            }
        case .extendedAttributes:
            return node.extendedAttributes.reduce(StateHash(5, 0)) {
                $0 ^ .mixed(StateHash(of: $1.key.bytes), StateHash(of: $1.value.bytes))
            }
        }
    }

    /// All that a recovery can see of this tree, for one of which it is not known what it reads.
    package var everything: [Read] {
        var reads: [Read] = []
        func add(_ inode: InodeID, _ path: ByteString) {
            guard let node = nodes[inode] else { return }
            reads += [.name(path), .attributes(path), .extendedAttributes(path)]
            switch node.kind {
            case .directory:
                reads.append(.listing(path))
                for (name, child) in node.entries.sorted(by: { $0.key < $1.key }) {
                    add(child, path.isEmpty ? name : path.appending(component: name))
                }
            case .regular:
                reads.append(.size(path))
                if node.sizeBytes > 0 {
                    reads.append(.data(path, (0..<node.sizeBytes).aligned(to: Read.blockBytes)))
                }
            case .symbolicLink, .fifo, .socket: break
            }
        }
        add(.root, "")
        return reads
    }

    /// The inode at a path from the root, without a leading slash; nil if there is none.
    func inode(at path: ByteString) -> InodeID? {
        var inode = InodeID.root
        for name in path.components {
            guard let child = nodes[inode]?.entries[name] else { return nil }
            inode = child
        }
        return inode
    }
}

import Bytes

extension Tree {
    /// Applies the part of a write or a zeroing that lies within `ranges`.
    mutating func apply(_ effect: Effect, within ranges: RangeSet<UInt64>) {
        change(effect.inode) { $0?.apply(effect, within: ranges) }
    }

    /// Applies one effect. Effects on unknown inodes are ignored: an unreachable inode may already be removed.
    public mutating func apply(_ effect: Effect) { change(effect.inode) { $0?.apply(effect) } }
}

extension Node {
    mutating func apply(_ effect: Effect, within ranges: RangeSet<UInt64>) {
        for range in ranges.ranges {
            switch effect {
            case .write(_, let offset, let data):
                let common = range.clamped(to: offset..<offset + data.countBytes)
                content.write(
                    data.slice(common.lowerBound - offset, count: UInt64(common.count)), at: common.lowerBound)
            case .zero(_, let whole): content.zero(range.clamped(to: whole))
            default: preconditionFailure("only data has ranges")
            }
        }
    }

    /// Applies an effect on this inode.
    mutating func apply(_ effect: Effect) {
        switch effect {
        case .write(_, let offset, let data): content.write(data, at: offset)
        case .zero(_, let range): content.zero(range)
        case .grow(_, _, let to), .resize(_, let to): sizeBytes = to
        case .name(let entry, let inode): entries[entry.name] = inode
        case .attributes(_, let attributes): self.attributes = attributes
        case .extendedAttribute(_, let name, let value): extendedAttributes[name] = value
        }
    }
}

import Bytes

/// A change of one slot of the filesystem, or of a run of data units of one file.
///
/// An operation is split into effects because a crash may keep one and lose another. A write that extends a file has two:
/// data and size. A rename has two: one for each name.
public enum Effect: Hashable, Sendable {
    /// New data in the units that the run touches. Each unit survives on its own.
    case write(InodeID, offsetBytes: UInt64, data: Payload)
    /// A run of data becomes zeros (truncate, punch hole, zero range). This is metadata: it survives whole or not at all.
    case zero(InodeID, Range<UInt64>)
    /// The sizes of a write that extends the file: one at each 4 KiB boundary that it crosses, and one at its end.
    case grow(InodeID, from: UInt64, to: UInt64)
    /// The size set by a truncate or an allocation.
    case resize(InodeID, to: UInt64)
    /// A name that refers to an inode from now on, or is removed (nil).
    case name(DirectoryEntry, InodeID?)
    case attributes(InodeID, Attributes)
    case extendedAttribute(InodeID, name: ByteString, value: ByteString?)
}

extension Effect {
    /// The inode that the effect changes: the file, or the directory that holds the name.
    public var inode: InodeID {
        switch self {
        case .write(let inode, _, _), .zero(let inode, _), .grow(let inode, _, _), .resize(let inode, _),
            .attributes(let inode, _), .extendedAttribute(let inode, _, _):
            return inode
        case .name(let entry, _): return entry.directory
        }
    }

    enum Kind { case data, name, attribute }

    /// The kind of slot: data and size of a file, a name, or an attribute.
    var kind: Kind {
        switch self {
        case .write, .zero, .grow, .resize: .data
        case .name: .name
        case .attributes, .extendedAttribute: .attribute
        }
    }

    /// Whether a metadata journal keeps the effect in order: names, truncates, allocations and attributes.
    var isMetadata: Bool {
        switch self {
        case .write, .grow: return false
        case .zero, .resize, .name, .attributes, .extendedAttribute: return true
        }
    }

    /// The bytes of the file that a data effect changes.
    var dataRange: Range<UInt64>? {
        switch self {
        case .write(_, let offset, let data): return offset..<offset + data.countBytes
        case .zero(_, let range): return range
        default: return nil
        }
    }
}

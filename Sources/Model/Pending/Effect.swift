import Bytes

/// What one part of an operation does to one slot, or to a run of data slots of one file.
///
/// Operations are split into effects because a crash may keep one and lose another: a write that extends a file is
/// data and a size, a rename is two names.
public enum Effect: Hashable, Sendable {
    /// New versions of the units of data that the run touches; each unit survives on its own.
    case write(InodeID, offsetBytes: UInt64, data: Payload)
    /// Zero versions of a run of data (truncate, punch, zero range). Metadata: it survives whole or not at all.
    case zero(InodeID, Range<UInt64>)
    /// Size versions of a write that extends the file: one at each 4 KiB boundary crossed, and one at the end.
    case grow(InodeID, from: UInt64, to: UInt64)
    /// The size version of a truncate or of an allocation.
    case resize(InodeID, to: UInt64)
    /// A name that comes to mean an inode, or nothing.
    case name(Entry, InodeID?)
    case attributes(InodeID, Attributes)
    case extendedAttribute(InodeID, name: ByteString, value: ByteString?)
}

extension Effect {
    /// The inode whose slot this is: the file, or the directory that holds the name.
    public var inode: InodeID {
        switch self {
        case .write(let inode, _, _), .zero(let inode, _), .grow(let inode, _, _), .resize(let inode, _),
            .attributes(let inode, _), .extendedAttribute(let inode, _, _):
            return inode
        case .name(let entry, _): return entry.directory
        }
    }

    enum Kind { case data, name, attribute }

    /// What the slot is: of a file's data and size, a name, an attribute.
    var kind: Kind {
        switch self {
        case .write, .zero, .grow, .resize: .data
        case .name: .name
        case .attributes, .extendedAttribute: .attribute
        }
    }

    /// Names, truncates, allocations and attributes: what a journal of metadata keeps in order.
    var isMetadata: Bool {
        switch self {
        case .write, .grow: return false
        case .zero, .resize, .name, .attributes, .extendedAttribute: return true
        }
    }

    /// The bytes of the file that a data effect covers.
    var dataRange: Range<UInt64>? {
        switch self {
        case .write(_, let offset, let data): return offset..<offset + data.countBytes
        case .zero(_, let range): return range
        default: return nil
        }
    }
}

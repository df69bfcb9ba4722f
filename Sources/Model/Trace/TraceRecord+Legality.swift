import Bytes

/// What no kernel reports is refused where a trace is written and where it is read, so that nothing after the decoder
/// need expect a range that overflows, a name that leaves its directory or a mode with the bits of a file type.
extension TraceRecord {
    /// Why the record is refused; `nil` for a legal one.
    var objection: String? {
        switch self {
        case .base(let base): base.objection
        case .event(.operation(let operation)): operation.objection
        case .event(.barrierEnded(_, let errno)):
            // MAX_ERRNO of Linux.
            (0...4095).contains(errno) ? nil : "a sync cannot end with errno \(errno)"
        case .event: nil
        }
    }
}

extension Operation {
    fileprivate var objection: String? {
        if case .write = change { return change.objection }
        return origin == .call ? change.objection : "what is no write comes in one piece, from a call"
    }
}

extension BaseRecord {
    fileprivate var objection: String? {
        switch self {
        case .node(let inode, let kind, let attributes, let size):
            inode.objection ?? kind.objection ?? attributes.objection ?? rangeObjection(size, 0)
        case .extendedAttribute(_, let name, let value): attributeObjection(name, value)
        case .entry(let entry, _): entry.objection
        case .content(_, let offset, let data): rangeObjection(offset, data.countBytes)
        }
    }
}

extension Change {
    fileprivate var objection: String? {
        switch self {
        case .write(_, let offset, let data):
            data.countBytes == 0 ? "a write of no bytes changes nothing" : rangeObjection(offset, data.countBytes)
        case .truncate(_, let size): rangeObjection(size, 0)
        case .allocate(_, let offset, let count, _):
            count == 0 ? "no allocation is of 0 bytes" : rangeObjection(offset, count)
        case .create(let inode, let kind, let attributes, let entry):
            inode.objection ?? kind.objection ?? attributes.objection ?? entry.objection
        case .link(_, let entry), .unlink(let entry): entry.objection
        case .rename(let from, let to, _): from.objection ?? to.objection
        case .setAttributes(_, let attributes): attributes.objection
        case .setExtendedAttribute(_, let name, let value): attributeObjection(name, value)
        }
    }
}

extension InodeID {
    fileprivate var objection: String? { rawValue == 0 ? "no inode has the number 0" : nil }
}

extension NodeKind {
    fileprivate var objection: String? {
        guard case .symbolicLink(let target) = self else { return nil }
        return target.isEmpty || target.count > 4095 || target.bytes.contains(0)
            ? "no symbolic link can hold '\(target)'" : nil
    }
}

extension Attributes {
    fileprivate var objection: String? { mode & ~0o7777 == 0 ? nil : "mode \(mode) has more than permission bits" }
}

extension Entry {
    fileprivate var objection: String? {
        let bytes = name.bytes
        let isDots = bytes.count <= 2 && bytes.allSatisfy { $0 == UInt8(ascii: ".") }
        let isName = !isDots && bytes.count <= 255 && !bytes.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
        return isName ? nil : "'\(name)' is no file name"
    }
}

/// The namespaces of extended attributes: those of xattr(7), and Btrfs' own.
private let attributeNamespaces = ["user.", "trusted.", "security.", "system.", "btrfs."].map { Array($0.utf8) }

private let accessLists: Set<ByteString> = ["system.posix_acl_access", "system.posix_acl_default"]

/// A version, 2, and entries of 8 bytes each (linux/posix_acl_xattr.h). No bytes at all take the list away.
private func isAccessList(_ value: ByteString) -> Bool {
    value.isEmpty || value.count % 8 == 4 && value.bytes.starts(with: [2, 0, 0, 0])
}

/// XATTR_SIZE_MAX of Linux.
private let largestAttributeBytes = 64 << 10

private func attributeObjection(_ name: ByteString, _ value: ByteString?) -> String? {
    let isName = !name.isEmpty && name.count <= 255 && !name.bytes.contains(0)
    guard isName, attributeNamespaces.contains(where: { name.count > $0.count && name.bytes.starts(with: $0) }) else {
        return "'\(name)' names no extended attribute"
    }
    guard let value else { return nil }
    guard value.count <= largestAttributeBytes else {
        return "the attribute '\(name)' has \(value.count) bytes, more than any has"
    }
    return !accessLists.contains(name) || isAccessList(value) ? nil : "'\(name)' holds no access control list"
}

/// Offsets of files end with those of off_t.
private func rangeObjection(_ offset: UInt64, _ count: UInt64) -> String? {
    let (end, overflow) = offset.addingReportingOverflow(count)
    return overflow || end > UInt64(Int64.max) ? "no file has \(count) bytes at byte \(offset)" : nil
}

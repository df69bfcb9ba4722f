import Bytes

/// Both the encoder and the decoder refuse records that no kernel can report, so that later code never sees a range that
/// overflows, a name with a slash or a mode with file type bits.
extension TraceRecord {
    /// Why the record is illegal; nil for a legal one.
    var violation: String? {
        switch self {
        case .base(let base): base.violation
        case .event(.operation(let operation)): operation.violation
        case .event(.barrierEnded(_, let errno)):
            // MAX_ERRNO of Linux.
            (0...4095).contains(errno) ? nil : "a sync cannot end with errno \(errno)"
        case .event: nil
        }
    }
}

extension Operation {
    fileprivate var violation: String? {
        if case .write = change { return change.violation }
        return origin == .call ? change.violation : "only a write can be a further piece or a writeback"
    }
}

extension BaseRecord {
    fileprivate var violation: String? {
        switch self {
        case .node(let inode, let kind, let attributes, let size):
            inode.violation ?? kind.violation ?? attributes.violation ?? rangeViolation(size, 0)
        case .extendedAttribute(_, let name, let value): attributeViolation(name, value)
        case .entry(let entry, _): entry.violation
        case .content(_, let offset, let data): rangeViolation(offset, data.countBytes)
        }
    }
}

extension Change {
    fileprivate var violation: String? {
        switch self {
        case .write(_, let offset, let data):
            data.countBytes == 0 ? "a write of no bytes changes nothing" : rangeViolation(offset, data.countBytes)
        case .truncate(_, let size): rangeViolation(size, 0)
        case .allocate(_, let offset, let count, _):
            count == 0 ? "an allocation of 0 bytes" : rangeViolation(offset, count)
        case .create(let inode, let kind, let attributes, let entry):
            inode.violation ?? kind.violation ?? attributes.violation ?? entry.violation
        case .link(_, let entry), .unlink(let entry): entry.violation
        case .rename(let from, let to, _): from.violation ?? to.violation
        case .setAttributes(_, let attributes): attributes.violation
        case .setExtendedAttribute(_, let name, let value): attributeViolation(name, value)
        }
    }
}

extension InodeID {
    fileprivate var violation: String? { rawValue == 0 ? "0 is not an inode number" : nil }
}

extension NodeKind {
    fileprivate var violation: String? {
        guard case .symbolicLink(let target) = self else { return nil }
        return target.isEmpty || target.count > 4095 || target.bytes.contains(0)
            ? "'\(target)' is not a valid target of a symbolic link" : nil
    }
}

extension Attributes {
    fileprivate var violation: String? { mode & ~0o7777 == 0 ? nil : "mode \(mode) has more than permission bits" }
}

extension DirectoryEntry {
    fileprivate var violation: String? {
        let bytes = name.bytes
        let isDots = bytes.count <= 2 && bytes.allSatisfy { $0 == UInt8(ascii: ".") }
        let isName = !isDots && bytes.count <= 255 && !bytes.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
        return isName ? nil : "'\(name)' is not a file name"
    }
}

/// The namespaces of extended attributes: those of xattr(7), and `btrfs.`.
private let attributeNamespaces = ["user.", "trusted.", "security.", "system.", "btrfs."].map { Array($0.utf8) }

private let accessLists: Set<ByteString> = ["system.posix_acl_access", "system.posix_acl_default"]

/// Version 2 and entries of 8 bytes (linux/posix_acl_xattr.h). An empty value removes the list.
private func isAccessList(_ value: ByteString) -> Bool {
    value.isEmpty || value.count % 8 == 4 && value.bytes.starts(with: [2, 0, 0, 0])
}

/// XATTR_SIZE_MAX of Linux.
private let largestAttributeBytes = 64 << 10

private func attributeViolation(_ name: ByteString, _ value: ByteString?) -> String? {
    let isName = !name.isEmpty && name.count <= 255 && !name.bytes.contains(0)
    guard isName, attributeNamespaces.contains(where: { name.count > $0.count && name.bytes.starts(with: $0) }) else {
        return "'\(name)' is not the name of an extended attribute"
    }
    guard let value else { return nil }
    guard value.count <= largestAttributeBytes else {
        return "the attribute '\(name)' has \(value.count) bytes; the maximum is \(largestAttributeBytes)"
    }
    return !accessLists.contains(name) || isAccessList(value) ? nil : "'\(name)' is not an access control list"
}

/// File offsets are limited by off_t.
private func rangeViolation(_ offset: UInt64, _ count: UInt64) -> String? {
    let (end, overflow) = offset.addingReportingOverflow(count)
    return overflow || end > UInt64(Int64.max) ? "\(count) bytes at byte \(offset) are beyond the largest file" : nil
}

import Bytes

/// What no kernel reports is refused where a trace is written and where it is read, so that nothing after the decoder
/// need expect a range that overflows, a name that leaves its directory or a mode with the bits of a file type.
extension TraceRecord {
    /// Why the record is refused; `nil` for a legal one.
    var objection: String? {
        switch self {
        case .base(let base): base.objection
        case .event(.operation(let operation)): operation.objection
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
        case .node(_, let kind, let attributes, let size):
            kind.objection ?? attributes.objection ?? rangeObjection(size, 0)
        case .extendedAttribute(_, let name, _): attributeNameObjection(name)
        case .entry(let entry, _): entry.objection
        case .content(_, let offset, let data): rangeObjection(offset, data.countBytes)
        }
    }
}

extension Change {
    fileprivate var objection: String? {
        switch self {
        case .write(_, let offset, let data): rangeObjection(offset, data.countBytes)
        case .truncate(_, let size): rangeObjection(size, 0)
        case .allocate(_, let offset, let count, _): rangeObjection(offset, count)
        case .create(_, let kind, let attributes, let entry):
            kind.objection ?? attributes.objection ?? entry.objection
        case .link(_, let entry), .unlink(let entry): entry.objection
        case .rename(let from, let to, _): from.objection ?? to.objection
        case .setAttributes(_, let attributes): attributes.objection
        case .setExtendedAttribute(_, let name, _): attributeNameObjection(name)
        }
    }
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

private func attributeNameObjection(_ name: ByteString) -> String? {
    name.isEmpty || name.count > 255 || name.bytes.contains(0) ? "'\(name)' names no extended attribute" : nil
}

/// Offsets of files end with those of off_t.
private func rangeObjection(_ offset: UInt64, _ count: UInt64) -> String? {
    let (end, overflow) = offset.addingReportingOverflow(count)
    return overflow || end > UInt64(Int64.max) ? "no file has \(count) bytes at byte \(offset)" : nil
}

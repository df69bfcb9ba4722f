import Bytes

/// An effect that a crash state has lost, whole or in part.
public struct Loss: Hashable, Sendable {
    /// What is lost of an effect that survived in part.
    public enum Extent: Hashable, Sendable {
        /// These bytes of the file.
        case bytes([Range<UInt64>])
        /// Growth beyond this size, of a write that extends the file.
        case beyond(sizeBytes: UInt64)
    }

    public var operation: OperationID
    public var effect: Effect
    /// Whether an fsync that covered it failed. No later barrier makes it durable.
    public var isUnsyncable: Bool
    /// The path of the file or name, as running programs see it.
    public var path: ByteString
    /// nil if all of it is lost.
    public var extent: Extent?

    /// Whether some of it survived.
    public var isTorn: Bool { extent != nil }

    public var kind: LossKind { effect.lossKind }
}

extension Loss: CustomStringConvertible {
    /// `op 12: write a.db, bytes 4096-8192, of which 4096-4608`
    public var description: String { "\(operation): \(summary)" + (extent.map { ", \($0)" } ?? "") }

    /// The lost change: `write a.db, bytes 4096-8192`.
    public var summary: String { effect.summary(path) }
}

extension Loss.Extent: CustomStringConvertible {
    public var description: String {
        switch self {
        case .beyond(let size): "which stopped at \(size)"
        case .bytes(let ranges):
            "of which " + ranges.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
        }
    }
}

extension Effect {
    /// The change that it makes to the file or name at `path`.
    func summary(_ path: ByteString) -> String {
        switch self {
        case .write(_, let offset, let data) where data.isZeros:
            "zeros at an edge in \(path), bytes \(offset)-\(offset + data.countBytes)"
        case .write(_, let offset, let data): "write \(path), bytes \(offset)-\(offset + data.countBytes)"
        case .zero(_, let range): "zeros in \(path), bytes \(range.lowerBound)-\(range.upperBound)"
        case .grow(_, let from, let to): "size of \(path), from \(from) to \(to)"
        case .resize(_, let to): "size of \(path), set to \(to)"
        case .name(_, nil): "removal of the name \(path)"
        case .name: "name \(path)"
        case .attributes(_, let attributes): "mode and owner of \(path), mode \(String(attributes.mode, radix: 8))"
        case .extendedAttribute(_, let name, _): "attribute \(name) of \(path)"
        }
    }
}

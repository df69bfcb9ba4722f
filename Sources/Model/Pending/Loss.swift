import Bytes

/// One part of an operation that a crash state lacks, or of which it lacks some.
public struct Loss: Hashable, Sendable {
    /// What of a part is lost when some of it survived.
    public enum Extent: Hashable, Sendable {
        /// These bytes of the file.
        case bytes([Range<UInt64>])
        /// Of a write that extends the file: all beyond this size.
        case beyond(sizeBytes: UInt64)
    }

    public var operation: OperationID
    public var effect: Effect
    /// A barrier over it failed: no later barrier makes it durable.
    public var isUnsyncable: Bool
    /// The file or the name that it is about, as running programs see it.
    public var path: ByteString
    /// Nil when all of it is lost.
    public var extent: Extent?

    /// Some of it survived.
    public var isTorn: Bool { extent != nil }

    public var kind: LossKind { effect.lossKind }
}

extension Loss: CustomStringConvertible {
    /// `op 12: write a.db, bytes 4096-8192, of which 4096-4608`
    public var description: String { "\(operation): \(what)" + (extent.map { ", \($0)" } ?? "") }

    /// What it is: `write a.db, bytes 4096-8192`.
    public var what: String { effect.words(path) }
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
    /// What it does to the file or the name at `path`.
    func words(_ path: ByteString) -> String {
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

/// The kinds of filesystem operations that a rule can name, named after system calls.
public enum OperationKind: UInt8, Hashable, Sendable, CaseIterable {
    case read, write
    /// Barriers: of a file, of a file's data alone, of a directory.
    case fsync, fdatasync, fsyncdir
    case open, create, mkdir, symlink, link, unlink, rmdir, rename
    /// ftruncate and fallocate.
    case truncate, allocate
    case setattr, setxattr, removexattr
    case lookup, getattr, getxattr, listxattr, readdir, readlink, statfs, lock

    /// The name in a rule.
    public var name: String { "\(self)" }

    /// The kind with this name.
    public init?(name: some StringProtocol) {
        guard let kind = OperationKind.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }

    public var isBarrier: Bool { self == .fsync || self == .fdatasync || self == .fsyncdir }
}

/// A set of kinds of operations. A membership test costs one instruction.
public struct OperationKinds: Hashable, Sendable {
    private var bits: UInt32

    public init(_ kinds: some Sequence<OperationKind> = []) { bits = kinds.reduce(0) { $0 | 1 << $1.rawValue } }

    public static let all = OperationKinds(OperationKind.allCases)

    public var isEmpty: Bool { bits == 0 }
    public func contains(_ kind: OperationKind) -> Bool { bits & (1 << kind.rawValue) != 0 }
    public mutating func formUnion(_ other: OperationKinds) { bits |= other.bits }
}

/// A fault rule: when to inject which fault. A rule is one line of text.
///
/// The grammar follows (docs/fault-rules.md explains it with examples). Words are separated by spaces. Conditions are in any
/// order, each at most once. `#` at the beginning of a word starts a comment.
///
///     rule       = operation condition* "->" fault
///     operation  = "read" | "write" | "fsync" | "fdatasync" | "fsyncdir" | "any"
///                | "open" | "create" | "mkdir" | "symlink" | "link" | "unlink" | "rmdir" | "rename"
///                | "truncate" | "allocate" | "setattr" | "setxattr" | "removexattr" | "lookup" | "getattr"
///                | "getxattr" | "listxattr" | "readdir" | "readlink" | "statfs" | "lock"
///     condition  = "path=" GLOB | "process=" ( PID | GLOB ) | "between=" N [ ".." [ N ] ] | "after-fsync=" N
///                | selection                             not with quota
///                | data                                  only read and write
///     selection  = "nth=" N | "every=" N | "p=" N "/" N   one of them
///     data       = "offset=" BYTES [ ".." [ BYTES ] ] | "size=" BYTES [ ".." [ BYTES ] ] | "after=" BYTES
///     fault      = ERRNO | "delay" delay | "crash" [ "before" | "after" ]
///                | "short" BYTES                         read, write
///                | "misdirect"                           read, write
///                | "bitflip" [ "at-rest" ] | "stale"     read
///                | "tear" ( "512" | "4096" ) | "drop" | "reorder"     write
///                | ERRNO "lose" [ "ext4" | "ext4-journal" | "xfs" | "btrfs" ]     fsync, fdatasync
///                | "lie"                                 fsync, fdatasync, fsyncdir
///                | "quota" BYTES [ "ENOSPC" | "EDQUOT" ]              any
///     delay      = TIME | TIME ".." TIME | "exponential" TIME
///     BYTES      = N [ "KiB" | "MiB" | "GiB" | "TiB" ]
///     TIME       = N ( "ns" | "us" | "ms" | "s" )            at most 86400s
///
/// A rule prints in a canonical form, which parses to the same rule.
public struct Rule: Hashable, Sendable {
    /// Relative to the mount; nil for every path. For an operation with two paths, either may match.
    public var path: Glob?
    public var process: ProcessCondition?
    /// The range of matching operation ids.
    public var between: ClosedRange<UInt64>?
    /// The rule is active after this many barriers on matching paths.
    public var afterSyncs: AtLeastOne?
    public var action: Action

    public enum Action: Hashable, Sendable {
        case inject(Injection, Selection)
        /// The matching files may grow by this many bytes in total. Operations that would exceed it fail.
        case quota(bytes: UInt64, QuotaError)
    }

    public enum QuotaError: String, Hashable, Sendable, CaseIterable {
        case noSpace = "ENOSPC"
        case quotaExceeded = "EDQUOT"

        public var errorNumber: ErrorNumber { self == .noSpace ? .noSpace : .quotaExceeded }
    }

    public init(
        _ action: Action, path: Glob? = nil, process: ProcessCondition? = nil, between: ClosedRange<UInt64>? = nil,
        afterSyncs: AtLeastOne? = nil
    ) {
        self.action = action
        self.path = path
        self.process = process
        self.between = between
        self.afterSyncs = afterSyncs
    }
}

/// A family of faults that `io-error` injects, or `rules` for the user's own rules.
package enum FaultFamilyName: String, CaseIterable, Hashable, Codable, Sendable {
    case writeEIO = "write-eio"
    case writeENOSPC = "write-enospc"
    case writeShort = "write-short"
    case writeEINTR = "write-eintr"
    case space, quota
    case fsyncEIO = "fsync-eio"
    case fsyncLoseExt4 = "fsync-lose-ext4"
    case fsyncLoseXFS = "fsync-lose-xfs"
    case fsyncLoseBtrfs = "fsync-lose-btrfs"
    case fsyncDirectoryEIO = "fsyncdir-eio"
    case createEIO = "create-eio"
    case openEMFILE = "open-emfile"
    case unlinkEIO = "unlink-eio"
    case renameEIO = "rename-eio"
    case truncateEIO = "truncate-eio"
    case allocateENOSPC = "allocate-enospc"
    case readEIO = "read-eio"
    case readShort = "read-short"
    case readEINTR = "read-eintr"
    case delay
    case fsyncLie = "fsync-lie"
    case fsyncLoseExt4Journal = "fsync-lose-ext4-journal"
    case writeTear512 = "write-tear-512"
    case writeTear4096 = "write-tear-4096"
    case writeDrop = "write-drop"
    case writeMisdirect = "write-misdirect"
    case writeReorder = "write-reorder"
    case readBitflip = "read-bitflip"
    case bitRot = "bit-rot"
    case readMisdirect = "read-misdirect"
    case readStale = "read-stale"
    /// The user's rules, all together.
    case rules
}

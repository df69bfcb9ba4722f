import Bytes
import Exploration
import Model

/// A kind of fault that `io-error` injects: its rule, and the guarantee that a store must keep under it.
///
/// docs/io-errors.md explains the choices.
package struct FaultFamily: Sendable {
    /// The guarantee that a store must keep.
    package enum Guarantee: String, Codable, Sendable {
        /// Storage failed or was slow, but kept synced data: the store must keep its full contract, and open and work
        /// after the fault.
        case everything
        /// Syncs lied, then the power was cut: the store must open with a prefix of the acknowledged operations.
        case prefix
        /// Storage corrupted data silently. The store must detect it with its checksums and may refuse, at any time and
        /// permanently; what it shows must come from a prefix of the acknowledged operations.
        case corruptionDetection = "noticing"
    }

    package var name: FaultFamilyName
    /// The rule; `#` stands for a number drawn from the counts of a fault-free run.
    package var template: String
    package var guarantee: Guarantee = .everything
    /// The number of places to try in turn until a check breaks: a store may handle an error at one place and not at
    /// another, and the effect of a lost sync depends on the writes around it. A sweep tries every place.
    package var placeCount = 1
    /// Whether the rule is for one file: `@` stands for its path. A read rule bypasses the kernel's cache for the file,
    /// which is impossible for a mapped file.
    package var isOfOneFile: Bool { template.contains("@") }

    /// Every family, in the order in which they are tried.
    package static let all: [FaultFamily] = [
        FaultFamily(name: .writeEIO, template: "write nth=# -> EIO", placeCount: 3),
        FaultFamily(name: .writeENOSPC, template: "write nth=# -> ENOSPC", placeCount: 3),
        FaultFamily(name: .writeShort, template: "write nth=# -> short 100", placeCount: 3),
        FaultFamily(name: .writeEINTR, template: "write nth=# -> EINTR"),
        FaultFamily(name: .space, template: "any -> quota #"),
        FaultFamily(name: .quota, template: "any -> quota # EDQUOT"),
        FaultFamily(name: .fsyncEIO, template: "fsync nth=# -> EIO", placeCount: 3),
        FaultFamily(name: .fsyncLoseExt4, template: "fsync nth=# -> EIO lose", placeCount: 3),
        FaultFamily(name: .fsyncLoseXFS, template: "fsync nth=# -> EIO lose xfs", placeCount: 3),
        FaultFamily(name: .fsyncLoseBtrfs, template: "fsync nth=# -> EIO lose btrfs", placeCount: 4),
        FaultFamily(name: .fsyncDirectoryEIO, template: "fsyncdir nth=# -> EIO", placeCount: 3),
        FaultFamily(name: .createEIO, template: "create nth=# -> EIO", placeCount: 3),
        FaultFamily(name: .openEMFILE, template: "open nth=# -> EMFILE"),
        FaultFamily(name: .unlinkEIO, template: "unlink nth=# -> EIO", placeCount: 3),
        FaultFamily(name: .renameEIO, template: "rename nth=# -> EIO", placeCount: 3),
        FaultFamily(name: .truncateEIO, template: "truncate nth=# -> EIO", placeCount: 3),
        FaultFamily(name: .allocateENOSPC, template: "allocate nth=# -> ENOSPC"),
        FaultFamily(name: .readEIO, template: "read path=@ nth=# -> EIO"),
        FaultFamily(name: .readShort, template: "read path=@ nth=# -> short 100"),
        FaultFamily(name: .readEINTR, template: "read path=@ nth=# -> EINTR"),
        FaultFamily(name: .delay, template: "fsync nth=# -> delay 20ms"),
        FaultFamily(name: .fsyncLie, template: "fsync nth=# -> lie", guarantee: .prefix),
        FaultFamily(
            name: .fsyncLoseExt4Journal, template: "fsync nth=# -> EIO lose ext4-journal",
            guarantee: .corruptionDetection),
        FaultFamily(name: .writeTear512, template: "write nth=# -> tear 512", guarantee: .corruptionDetection),
        FaultFamily(name: .writeTear4096, template: "write nth=# -> tear 4096", guarantee: .corruptionDetection),
        FaultFamily(name: .writeDrop, template: "write nth=# -> drop", guarantee: .corruptionDetection),
        FaultFamily(name: .writeMisdirect, template: "write nth=# -> misdirect", guarantee: .corruptionDetection),
        FaultFamily(name: .writeReorder, template: "write nth=# -> reorder", guarantee: .corruptionDetection),
        FaultFamily(name: .readBitflip, template: "read path=@ nth=# -> bitflip", guarantee: .corruptionDetection),
        FaultFamily(name: .bitRot, template: "read path=@ nth=# -> bitflip at-rest", guarantee: .corruptionDetection),
        FaultFamily(name: .readMisdirect, template: "read path=@ nth=# -> misdirect", guarantee: .corruptionDetection),
        FaultFamily(name: .readStale, template: "read path=@ nth=# -> stale", guarantee: .corruptionDetection),
    ]

    /// The rule with `number` and `path` filled in.
    package func rule(_ number: UInt64, path: ByteString?) throws -> Rule {
        var text: [UInt8] = []
        for byte in template.utf8 {
            switch byte {
            case UInt8(ascii: "#"): text += Array("\(number)".utf8)
            case UInt8(ascii: "@"): text += Array("\(Glob(exactly: path ?? "*"))".utf8)
            default: text.append(byte)
            }
        }
        return try Rule(parsing: ByteString(text))
    }

    /// Whether `#` is a number of bytes instead of matches.
    package var isQuota: Bool { template.contains("quota") }
}

extension Rule {
    /// The guarantee that a store must keep when this rule fires.
    package var guarantee: FaultFamily.Guarantee {
        guard case .inject(let injection, _) = action else { return .everything }
        switch injection {
        case .read(.bitflip, _), .read(.misdirect, _), .read(.stale, _): return .corruptionDetection
        case .write(.tear, _), .write(.drop, _), .write(.misdirect, _), .write(.reorder, _): return .corruptionDetection
        case .sync(_, .lose(_, let loss)): return loss.reportsLate ? .corruptionDetection : .everything
        case .sync(_, .lie), .directorySync(.lie): return .prefix
        case .read(.generic, _), .read(.short, _), .write(.generic, _), .write(.short, _), .sync(_, .generic),
            .directorySync(.generic), .other, .any:
            return .everything
        }
    }

    /// Whether it cuts the power.
    package var cutsPower: Bool {
        guard case .inject(let injection, _) = action else { return false }
        switch injection {
        case .read(.generic(.crash), _), .write(.generic(.crash), _), .sync(_, .generic(.crash)),
            .directorySync(.generic(.crash)), .other(_, .crash), .any(.crash):
            return true
        default: return false
        }
    }
}

import Bytes
import Exploration
import Model

/// A kind of fault that `io-error` tries: the rule that brings it about, and what a store can be held to under it.
///
/// docs/io-errors.md says why each is held to what.
package struct FaultFamily: Sendable {
    /// What is asked of a store.
    package enum Demand: String, Codable, Sendable {
        /// Storage said no, or was slow, and what it had synced is whole: everything that the target's contract promises,
        /// and after the fault a store that opens and works.
        case everything
        /// Syncs were lied about, and the power went: a prefix of what was acknowledged, in a store that opens.
        case prefix
        /// Storage changed bytes and said nothing. A store whose checksums are to notice that may refuse, at any time
        /// and for good; what it shows must be what a prefix of the acknowledged operations wrote.
        case corruptionDetection = "noticing"
    }

    package var name: FaultFamilyName
    /// The rule; `#` stands for a number that is drawn from what a run without faults counts.
    package var template: String
    package var demand: Demand = .everything
    /// At how many places it is tried, one after the other, until a promise is broken: an error that a store copes with at
    /// one place may break it at another, and what a lost sync shows depends on what was written around it. A sweep tries
    /// every place.
    package var placeCount = 1
    /// Whether the rule is for one file: `@` stands for its path. A rule about reads takes a file away from the kernel's
    /// cache, and a file that is mapped into memory cannot be.
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
        FaultFamily(name: .fsyncLie, template: "fsync nth=# -> lie", demand: .prefix),
        FaultFamily(
            name: .fsyncLoseExt4Journal, template: "fsync nth=# -> EIO lose ext4-journal", demand: .corruptionDetection),
        FaultFamily(name: .writeTear512, template: "write nth=# -> tear 512", demand: .corruptionDetection),
        FaultFamily(name: .writeTear4096, template: "write nth=# -> tear 4096", demand: .corruptionDetection),
        FaultFamily(name: .writeDrop, template: "write nth=# -> drop", demand: .corruptionDetection),
        FaultFamily(name: .writeMisdirect, template: "write nth=# -> misdirect", demand: .corruptionDetection),
        FaultFamily(name: .writeReorder, template: "write nth=# -> reorder", demand: .corruptionDetection),
        FaultFamily(name: .readBitflip, template: "read path=@ nth=# -> bitflip", demand: .corruptionDetection),
        FaultFamily(name: .bitRot, template: "read path=@ nth=# -> bitflip at-rest", demand: .corruptionDetection),
        FaultFamily(name: .readMisdirect, template: "read path=@ nth=# -> misdirect", demand: .corruptionDetection),
        FaultFamily(name: .readStale, template: "read path=@ nth=# -> stale", demand: .corruptionDetection),
    ]

    /// The rule with its numbers and its file.
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

    /// Whether the number is one of bytes and not of matches.
    package var isQuota: Bool { template.contains("quota") }
}

extension Rule {
    /// What a store can be held to when this rule fires.
    package var demand: FaultFamily.Demand {
        guard case .inject(let injection, _) = action else { return .everything }
        switch injection {
        case .read(.bitflip, _), .read(.misdirect, _), .read(.stale, _): return .corruptionDetection
        case .write(.tear, _), .write(.drop, _), .write(.misdirect, _), .write(.reorder, _): return .corruptionDetection
        case .sync(_, .lose(_, let loss)): return loss.reportsLate ? .corruptionDetection : .everything
        case .sync(_, .lie), .directorySync(.lie): return .prefix
        default: return .everything
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

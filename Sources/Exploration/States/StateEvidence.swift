import Bytes
import Model
import Oracle

/// The evidence of a crash state: its recovery, and the differing recoveries after crashes during that recovery.
///
/// The digest covers only the pattern of an error message, because numbers, addresses and temporary names differ between
/// recoveries.
struct StateEvidence: Sendable {
    var evidence: Evidence
    var nested: [Evidence] = []

    /// A 128-bit digest of the evidence.
    var digest: StateHash { nested.reduce(evidence.digest) { .mixed($0, $1.digest) } }

    /// About how much memory it takes, in bytes.
    var sizeBytes: Int { nested.reduce(evidence.sizeBytes) { $0 + $1.sizeBytes } }
}

extension Evidence {
    fileprivate var digest: StateHash {
        let second =
            switch secondRecovery {
            case nil: StateHash.run(0)
            case recovery: StateHash.run(1)
            case let second?: second.digest
            }
        let probed =
            switch probe {
            case nil: StateHash.run(0)
            case .kept: StateHash.run(1)
            case .refused(let reason): StateHash.run(2, patternOf: reason)
            case .lost(let reason): StateHash.run(3, patternOf: reason)
            case .unkept(let reason): StateHash.run(4, patternOf: reason)
            }
        return .mixed(.mixed(recovery.digest, second), probed)
    }

    /// About how much memory it takes, in bytes.
    package var sizeBytes: Int { 64 + recovery.sizeBytes + (secondRecovery?.sizeBytes ?? 0) }
}

extension Recovery {
    /// A 128-bit digest of the recovery.
    var digest: StateHash {
        switch self {
        case .failed(let reason): return .run(5, patternOf: reason)
        case .hung: return .run(7)
        case .filesystemBroken(let reason): return .run(8, patternOf: reason)
        case .opened(let observation):
            var digest =
                switch observation.ownCheck {
                case nil: StateHash.run(6)
                case .passed: StateHash.run(9)
                case .complaint(let complaint): StateHash.run(10, patternOf: complaint)
                }
            for entry in observation.entries {
                digest = .mixed(digest, .mixed(StateHash(of: entry.key.bytes), StateHash(of: entry.payload)))
            }
            return digest
        }
    }

    /// About how much memory it takes, in bytes.
    fileprivate var sizeBytes: Int {
        switch self {
        case .failed(let reason), .filesystemBroken(let reason): 32 + reason.utf8.count
        case .hung: 32
        case .opened(let observation):
            observation.entries.reduce(32) { $0 + 96 + $1.key.count + $1.payload.count }
        }
    }
}

extension StateHash {
    /// A hash of a run of bytes and its kind.
    fileprivate static func run(_ kind: UInt64, _ bytes: [UInt8] = []) -> StateHash {
        .mixed(StateHash(high: kind, low: UInt64(bytes.count)), StateHash(of: bytes))
    }

    fileprivate static func run(_ kind: UInt64, patternOf message: String) -> StateHash {
        .run(kind, TextPattern(ofMessage: message).text.bytes)
    }
}

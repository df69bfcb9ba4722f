import Model
import Oracle

/// What a state shows: its recovery, and the recoveries after crashes of that recovery where they differ from it.
struct ShownState: Sendable {
    var evidence: Evidence
    var nested: [Evidence] = []

    /// 128 bits that stand for what is shown, as a state's hash stands for the state.
    var digest: StateHash {
        var digest = StateHash(of: [])
        for evidence in [evidence] + nested {
            digest.add(evidence.recovery)
            if let second = evidence.secondRecovery { digest.add(second) } else { digest.add(0) }
            switch evidence.probe {
            case nil: digest.add(0)
            case .kept: digest.add(1)
            case .refused(let reason): digest.add(2, Array(reason.utf8))
            case .lost(let reason): digest.add(3, Array(reason.utf8))
            case .unkept(let reason): digest.add(4, Array(reason.utf8))
            }
        }
        return digest
    }
}

extension StateHash {
    /// Takes in a run of bytes, and what it is.
    fileprivate mutating func add(_ kind: UInt8, _ bytes: [UInt8] = []) {
        self = .mixed(self, .mixed(StateHash(of: [kind]), StateHash(of: bytes)))
    }

    fileprivate mutating func add(_ recovery: Recovery) {
        switch recovery {
        case .failed(let reason): add(1, Array(reason.utf8))
        case .opened(let observation):
            for entry in observation.entries {
                add(2, entry.key.bytes)
                add(3, entry.payload)
            }
            add(4)
        }
    }
}

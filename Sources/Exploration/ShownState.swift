import Bytes
import Model
import Oracle

/// What a state shows: its recovery, and the recoveries after crashes of that recovery where they differ from it.
struct ShownState: Sendable {
    var evidence: Evidence
    var nested: [Evidence] = []

    /// 128 bits that stand for what is shown, as a state's hash stands for the state.
    var digest: StateHash {
        var text = ByteWriter(reserving: 4096)
        for evidence in [evidence] + nested {
            text.append(evidence.recovery)
            text.append(evidence.secondRecovery)
            switch evidence.probe {
            case nil: text.append(UInt8(0))
            case .kept: text.append(UInt8(1))
            case .refused(let reason): text.append(reason, tag: 2)
            case .lost(let reason): text.append(reason, tag: 3)
            }
        }
        return text.withBytes { StateHash(of: $0) }
    }
}

extension ByteWriter {
    fileprivate mutating func append(_ recovery: Recovery?) {
        switch recovery {
        case nil: append(UInt8(0))
        case .failed(let reason): append(reason, tag: 1)
        case .opened(let observation):
            append(UInt8(2))
            append(UInt64(observation.count))
            for entry in observation.entries {
                append(run: entry.key.bytes)
                append(run: entry.payload)
            }
        }
    }

    fileprivate mutating func append(_ reason: String, tag: UInt8) {
        append(tag)
        append(run: Array(reason.utf8))
    }

    private mutating func append(run: [UInt8]) {
        append(UInt64(run.count))
        run.withUnsafeBytes { append($0) }
    }
}

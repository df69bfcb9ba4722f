import Bytes
import Model
import Oracle

/// What a state shows: its recovery, and the recoveries after crashes of that recovery where they differ from it.
///
/// The text of an error is no part of that, only its pattern: numbers, addresses and names of temporary files differ from
/// look to look.
struct ShownState: Sendable {
    var evidence: Evidence
    var nested: [Evidence] = []

    /// 128 bits that stand for what is shown, as a state's hash stands for the state.
    var digest: StateHash {
        var bytes: [UInt8] = []
        for evidence in [evidence] + nested {
            bytes.append(evidence.recovery)
            switch evidence.secondRecovery {
            case nil: bytes.append(run: 0)
            case evidence.recovery: bytes.append(run: 5)
            case let second?: bytes.append(second)
            }
            switch evidence.probe {
            case nil: bytes.append(run: 0)
            case .kept: bytes.append(run: 1)
            case .refused(let reason): bytes.append(run: 2, patternOf: reason)
            case .lost(let reason): bytes.append(run: 3, patternOf: reason)
            case .unkept(let reason): bytes.append(run: 4, patternOf: reason)
            }
        }
        return StateHash(of: bytes)
    }
}

extension [UInt8] {
    /// Takes in a run of bytes: what it is, how long it is, and they.
    fileprivate mutating func append(run kind: UInt8, _ bytes: [UInt8] = []) {
        append(kind)
        Swift.withUnsafeBytes(of: UInt64(bytes.count)) { append(contentsOf: $0) }
        append(contentsOf: bytes)
    }

    fileprivate mutating func append(run kind: UInt8, patternOf message: String) {
        append(run: kind, TextPattern(ofMessage: message).text.bytes)
    }

    fileprivate mutating func append(_ recovery: Recovery) {
        switch recovery {
        case .failed(let reason): append(run: 1, patternOf: reason)
        case .hung: append(run: 6)
        case .opened(let observation):
            reserveCapacity(count + observation.entries.reduce(9) { $0 + 18 + $1.key.bytes.count + $1.payload.count })
            for entry in observation.entries {
                append(run: 2, entry.key.bytes)
                append(run: 3, entry.payload)
            }
            append(run: 4)
        }
    }
}

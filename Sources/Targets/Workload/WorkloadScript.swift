import Bytes
import Model
import Oracle

/// What the built-in workload does, as a pure function of the seed and an operation's number.
///
/// Nothing carries over from one operation to the next, so a run may begin at any number: after a crash the next cycle
/// goes on where the last one stopped, and the whole is what one run without a crash would have done.
///
/// The keys are few, so that overwrites are the rule. Every 23rd operation deletes a key that one of the 22 before it
/// put. Payloads begin with the operation's number, so that each is told from every other; most are small, some span
/// several pages, a few are empty.
package struct WorkloadScript: Sendable {
    package static let deletePeriod: UInt64 = 23

    package let seed: UInt64
    /// How many different keys there are.
    package let keyCount: UInt64

    package init(seed: UInt64, keyCount: UInt64 = 40) {
        self.seed = seed
        self.keyCount = max(1, keyCount)
    }

    /// The operation with number `seq`, which counts from 1.
    package func operation(_ seq: UInt64) -> OracleOperation {
        guard seq % WorkloadScript.deletePeriod == 0 else { return .put(seq, key(seq), payload(seq)) }
        var draws = stream(seq, "victim")
        let back = 1 + draws.next(upperBound: WorkloadScript.deletePeriod - 1)
        return .delete(seq, key(seq - back))
    }

    private func key(_ seq: UInt64) -> ByteString {
        var draws = stream(seq, "key")
        let number = draws.next(upperBound: keyCount)
        return ByteString("k\(number / 10)\(number % 10)")
    }

    private func payload(_ seq: UInt64) -> [UInt8] {
        var draws = stream(seq, "payload")
        let sizeBytes: UInt64
        switch draws.next(upperBound: 64 as UInt64) {
        case 0: return []
        case 1..<8: sizeBytes = 1024 + draws.next(upperBound: 8192)
        case 8..<24: sizeBytes = 128 + draws.next(upperBound: 896)
        default: sizeBytes = draws.next(upperBound: 128 as UInt64)
        }
        var bytes = Array("\(seq) ".utf8)
        while bytes.count < sizeBytes {
            withUnsafeBytes(of: draws.next().littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    private func stream(_ seq: UInt64, _ what: ByteString) -> RandomStream {
        RandomStream(seed: seed).stream("workload").stream(what).stream(seq)
    }
}

import Bytes
import Model
import Oracle

/// What one client of the built-in workload does, as a pure function of the seed, the client and an operation's number.
///
/// Nothing carries over from one operation to the next, so a run may begin at any number: after a crash the next cycle
/// goes on where the last one stopped, and the whole is what one run without a crash would have done.
///
/// The keys are few, so that overwrites are the rule. Every 23rd operation deletes a key that one of the 22 before it
/// put. Payloads begin with the operation's number (and the client's, if there are several), so that each is told from
/// every other; unless all have one size, most are small, some span several pages, a few are empty.
package struct WorkloadScript: Sendable {
    package static let deletePeriod: UInt64 = 23

    package let shape: WorkloadShape
    private let random: RandomStream
    private let mark: String

    /// - Parameter client: which of the shape's threads this is, from 0.
    package init(seed: UInt64, shape: WorkloadShape = WorkloadShape(), client: Int = 0) {
        self.shape = shape
        let stream = RandomStream(seed: seed).stream("workload")
        random = client == 0 ? stream : stream.stream("client").stream(UInt64(client))
        mark = shape.threadCount > 1 ? "\(client)." : ""
    }

    /// The operation with this number, which counts from 1; `seq` is its number in the oracle, if that is another.
    package func operation(_ number: UInt64, seq: UInt64? = nil, txn: UInt64? = nil) -> OracleOperation {
        let seq = seq ?? number
        guard number % WorkloadScript.deletePeriod == 0 else {
            return .put(seq, key(number), payload(number), txn: txn)
        }
        var draws = stream(number, "victim")
        let back = 1 + draws.next(upperBound: WorkloadScript.deletePeriod - 1)
        return .delete(seq, key(number - back), txn: txn)
    }

    private func key(_ number: UInt64) -> ByteString {
        var draws = stream(number, "key")
        let drawn = draws.next(upperBound: max(1, shape.keyCount))
        let digits = drawn < 10 ? "0\(drawn)" : "\(drawn)"
        guard let size = shape.keyBytes else { return ByteString("k" + digits) }
        // Of a key that is too short for its number the end tells most.
        let padding = String(repeating: "0", count: max(0, size - digits.utf8.count - 1))
        return ByteString(Array(("k" + padding + digits).utf8.suffix(size)))
    }

    private func payload(_ number: UInt64) -> [UInt8] {
        var draws = stream(number, "payload")
        let sizeBytes: UInt64
        switch draws.next(upperBound: 64 as UInt64) {
        case _ where shape.valueBytes != nil: sizeBytes = UInt64(shape.valueBytes!)
        case 0: return []
        case 1..<8: sizeBytes = 1024 + draws.next(upperBound: 8192)
        case 8..<24: sizeBytes = 128 + draws.next(upperBound: 896)
        default: sizeBytes = draws.next(upperBound: 128 as UInt64)
        }
        var bytes = Array("\(mark)\(number) ".utf8)
        while bytes.count < sizeBytes {
            withUnsafeBytes(of: draws.next().littleEndian) { bytes.append(contentsOf: $0) }
        }
        return shape.valueBytes.map { Array(bytes.prefix($0)) } ?? bytes
    }

    private func stream(_ number: UInt64, _ what: ByteString) -> RandomStream { random.stream(what).stream(number) }
}

import Bytes
import Model
import Oracle

/// The operations of one client of the built-in workload: a pure function of seed, client and operation number.
///
/// Operations are independent of each other, so a run may start at any number: after a crash the next cycle continues
/// where the last one stopped, and together they equal one run without a crash.
///
/// There are few keys, so most operations overwrite. Every 23rd operation deletes a key that one of the 22 before it
/// put. Payloads start with the operation number (and the client's, if there are several), so all are distinct. Unless
/// a size is given, most are small, some span several pages, and a few are empty.
package struct WorkloadScript: Sendable {
    package static let deletePeriod: UInt64 = 23

    package let shape: WorkloadShape
    private let random: RandomStream
    private let mark: String

    /// - Parameter client: the index of the client thread, from 0.
    package init(seed: UInt64, shape: WorkloadShape = WorkloadShape(), client: Int = 0) {
        self.shape = shape
        let stream = RandomStream(seed: seed).stream("workload")
        random = client == 0 ? stream : stream.stream("client").stream(UInt64(client))
        mark = shape.threadCount > 1 ? "\(client)." : ""
    }

    /// The operation with this number, from 1. `seq` is its number in the oracle if that differs.
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
        // If the key is too short for its number, keep the end, which differs most.
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

    private func stream(_ number: UInt64, _ name: ByteString) -> RandomStream { random.stream(name).stream(number) }
}

import Bytes
import Testing

@testable import Engine

@Suite struct KeyTableTests {
    /// Hashes that collide, wrap around and spread; every step is compared with a dictionary.
    @Test(arguments: [1, 3, 61, UInt32.max]) func `the table agrees with a dictionary`(_ hashCount: UInt32) throws {
        var table = KeyTable()
        var expected: [ByteString: UInt64] = [:]
        var random = SeededGenerator(UInt64(hashCount))
        for step in 0..<6000 {
            let number = Int(random.next() % 300)
            let key = ByteString(String(repeating: "k", count: number % 40) + "\(number)")
            let hash = (UInt32(truncatingIfNeeded: number) &* 2_654_435_761) % hashCount &- 2
            let location = ValueLocation(Place(lsn: UInt64(step), sequence: 1, offsetBytes: 0), payloadCount: 0)
            key.bytes.withUnsafeBytes { bytes in
                if random.next() % 5 < 2 {
                    table.remove(bytes, hash: hash)
                    expected[key] = nil
                } else {
                    table.set(bytes, hash: hash, location)
                    expected[key] = UInt64(step)
                }
                #expect(table.location(of: bytes, hash: hash)?.lsn == expected[key])
            }
            #expect(table.count == expected.count)
            if step % 500 == 499 {
                #expect(table.keys.sorted() == expected.keys.sorted())
                for (key, lsn) in expected {
                    let number = Int(String(decoding: key.bytes.drop { $0 == UInt8(ascii: "k") }, as: UTF8.self))!
                    let hash = (UInt32(truncatingIfNeeded: number) &* 2_654_435_761) % hashCount &- 2
                    #expect(key.bytes.withUnsafeBytes { table.location(of: $0, hash: hash) }?.lsn == lsn)
                }
            }
        }
    }
}

/// A sequence that a seed fixes.
struct SeededGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

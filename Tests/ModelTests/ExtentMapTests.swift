import Testing

@testable import Model

/// Against the plainest map there is: the payload byte under each byte of the file.
struct ExtentMapTests {
    private static let sizeBytes: UInt64 = 4096

    @Test(arguments: [1, 3, 40])
    func `agrees with one that knows each byte, however many runs there are`(longest: UInt64) {
        for seed in 0..<6 {
            var random = RandomStream(seed: UInt64(seed))
            var map = ExtentMap()
            var bytes = [UInt64?](repeating: nil, count: Int(Self.sizeBytes))
            var most = 0
            for _ in 0..<4000 {
                let offset = random.next(upperBound: Self.sizeBytes)
                let range = offset..<min(Self.sizeBytes, offset + 1 + random.next(upperBound: longest))
                if random.chance(1, in: 6) {
                    map.zero(range)
                    for at in range { bytes[Int(at)] = nil }
                } else {
                    // Some follow on each other in the store as in the file.
                    let place = random.chance(1, in: 3) ? offset : random.next(upperBound: 1 << 40)
                    map.write(Payload(offsetBytes: place, countBytes: UInt64(range.count)), at: offset)
                    for at in range { bytes[Int(at)] = place + at - offset }
                }
                most = max(most, map.count)
            }
            #expect(longest > 3 || most > 1000)
            #expect(Self.bytes(of: map.extents) == bytes)
            let part = 1000..<Self.sizeBytes - 1000
            #expect(Self.bytes(of: map.slice(part))[1000..<3096] == bytes[1000..<3096])
            #expect(map.endBytes == bytes.lastIndex { $0 != nil }.map { UInt64($0) + 1 } ?? 0)
            // Whatever made it, a content has one map.
            let again = Self.map(of: bytes)
            #expect(again == map)
            #expect(again.hashValue == map.hashValue)
            #expect(again.extents == map.extents)
        }
    }

    private static func bytes(of runs: [ExtentMap.Extent]) -> [UInt64?] {
        var bytes = [UInt64?](repeating: nil, count: Int(sizeBytes))
        for run in runs {
            for at in 0..<run.data.countBytes { bytes[Int(run.offsetBytes + at)] = run.data.offsetBytes + at }
        }
        return bytes
    }

    /// Made in order, byte by byte.
    private static func map(of bytes: [UInt64?]) -> ExtentMap {
        var map = ExtentMap()
        for (offset, place) in bytes.enumerated() {
            if let place { map.write(Payload(offsetBytes: place, countBytes: 1), at: UInt64(offset)) }
        }
        return map
    }
}

import Bytes
import Model
import Testing

@testable import Block

/// How one image becomes the next.
struct ExtentChangeTests {
    private static func map(_ runs: [(at: UInt64, data: UInt64, count: UInt64)]) -> ExtentMap {
        var map = ExtentMap()
        for run in runs { map.write(Payload(offsetBytes: run.data, countBytes: run.count), at: run.at) }
        return map
    }

    private static let cases: [(old: ExtentMap, new: ExtentMap, changes: [(Range<UInt64>, UInt64?)])] = [
        (map([]), map([]), []),
        (map([]), map([(10, 100, 5)]), [(10..<15, 100)]),
        (map([(10, 100, 5)]), map([]), [(10..<15, nil)]),
        (map([(10, 100, 5)]), map([(10, 100, 5)]), []),
        // The same bytes, cut in another way.
        (map([(10, 100, 6)]), map([(10, 100, 3), (13, 103, 3)]), []),
        (map([(0, 100, 10)]), map([(0, 100, 4), (4, 200, 2), (6, 106, 4)]), [(4..<6, 200)]),
        (map([(0, 100, 10)]), map([(5, 300, 10)]), [(0..<5, nil), (5..<10, 300), (10..<15, 305)]),
        // What lies beyond the device is not looked at.
        (map([]), map([(90, 100, 50)]), [(90..<100, 100)]),
    ]

    @Test(arguments: cases.indices) func `only what differs is written`(index: Int) {
        let (old, new, wanted) = Self.cases[index]
        let changes = ExtentChange.changes(from: old.extents, to: new.extents, sizeBytes: 100)
        #expect(
            changes
                == wanted.map { range, data in
                    ExtentChange(
                        range: range, data: data.map { Payload(offsetBytes: $0, countBytes: UInt64(range.count)) })
                })
    }
}

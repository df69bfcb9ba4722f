import Bytes

/// The name of a segment: `0000-0000000001.log`, shard and sequence in decimal with leading zeros, so that names sort in the
/// order of the segments. There is no other list of segments than the directory.
package struct SegmentName: Hashable, Comparable {
    package var shard: UInt16
    /// The first segment of a shard is 1.
    var sequence: UInt32

    init(shard: UInt16, sequence: UInt32) {
        self.shard = shard
        self.sequence = sequence
    }

    /// nil for a name that is not a segment's.
    package init?(_ name: ByteString) {
        let bytes = name.bytes
        guard bytes.count == 19, bytes[4] == UInt8(ascii: "-"), bytes[15...].elementsEqual(".log".utf8),
            let shard = Self.number(bytes[0..<4]).flatMap(UInt16.init(exactly:)),
            let sequence = Self.number(bytes[5..<15]).flatMap(UInt32.init(exactly:)), sequence > 0
        else { return nil }
        self.init(shard: shard, sequence: sequence)
    }

    var fileName: ByteString {
        ByteString(
            Self.digits(UInt64(shard), 4) + [UInt8(ascii: "-")] + Self.digits(UInt64(sequence), 10) + ".log".utf8)
    }

    /// The next segment; nil after the largest number.
    var next: SegmentName { SegmentName(shard: shard, sequence: sequence + 1) }

    /// The name of the temporary file that will replace the segment.
    var replacementName: ByteString { ByteString(fileName.bytes + Self.replacementSuffix) }

    /// The segment with this `replacementName`; nil for other names.
    static func replaced(by name: ByteString) -> SegmentName? {
        guard name.bytes.suffix(replacementSuffix.count).elementsEqual(replacementSuffix) else { return nil }
        return SegmentName(ByteString(Array(name.bytes.dropLast(replacementSuffix.count))))
    }

    private static let replacementSuffix = Array(".new".utf8)

    package static let largestShard: UInt16 = 9999

    package static func < (left: SegmentName, right: SegmentName) -> Bool {
        (left.shard, left.sequence) < (right.shard, right.sequence)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + UInt64(digit - UInt8(ascii: "0"))
        }
        return value
    }

    private static func digits(_ value: UInt64, _ count: Int) -> [UInt8] {
        var rest = value
        var digits = [UInt8](repeating: UInt8(ascii: "0"), count: count)
        for index in digits.indices.reversed() {
            digits[index] += UInt8(rest % 10)
            rest /= 10
        }
        return digits
    }
}

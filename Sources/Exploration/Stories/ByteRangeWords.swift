/// Ranges of bytes as people read them, both ends included: `0–819`, `512`.
enum ByteRangeWords {
    private static let toldAtMost = 4

    /// `bytes 0–819` or `byte 512`.
    static func bytes(_ range: Range<UInt64>) -> String { (range.count == 1 ? "byte " : "bytes ") + text(range) }

    /// `0–819, 1024–2047`; of many the first, and how many more.
    static func list(_ ranges: [Range<UInt64>]) -> String {
        let told = ranges.prefix(toldAtMost).map(text)
        let others = ranges.count - told.count
        return (told + (others > 0 ? ["\(others) more"] : [])).joined(separator: ", ")
    }

    private static func text(_ range: Range<UInt64>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)–\(range.upperBound - 1)"
    }
}

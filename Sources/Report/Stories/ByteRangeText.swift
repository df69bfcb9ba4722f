/// Ranges of bytes for people, with both ends included: `0–819`, `512`.
enum ByteRangeText {
    private static let shownAtMost = 4

    /// `bytes 0–819` or `byte 512`.
    static func bytes(_ range: Range<UInt64>) -> String { (range.count == 1 ? "byte " : "bytes ") + text(range) }

    /// `0–819, 1024–2047`; the first ranges and the number of the others.
    static func list(_ ranges: [Range<UInt64>]) -> String {
        let shown = ranges.prefix(shownAtMost).map(text)
        let others = ranges.count - shown.count
        return (shown + (others > 0 ? ["\(others) more"] : [])).joined(separator: ", ")
    }

    private static func text(_ range: Range<UInt64>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)–\(range.upperBound - 1)"
    }
}

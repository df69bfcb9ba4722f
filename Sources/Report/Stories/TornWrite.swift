import Model

/// A torn write: the kept bytes, the lost bytes, and those that read as zeros.
struct TornWrite {
    private let range: Range<UInt64>
    private let lost: RangeSet<UInt64>
    /// Lost bytes within the size of the file, which read as zeros.
    private let zeros: RangeSet<UInt64>

    /// nil if the operation is not a write.
    ///
    /// - Parameter parts: all effects of the write that a crash could have lost.
    /// - Parameter losses: the effects that this crash lost.
    init?(parts: [Loss], losses: [Loss]) {
        var written: Range<UInt64>?
        var growth: (from: UInt64, to: UInt64)?
        for part in parts {
            switch part.effect {
            case .write(_, let offset, let data): written = offset..<offset + data.countBytes
            case .grow(_, let from, let to): growth = (from, to)
            default: return nil
            }
        }
        // If the data is durable, only the growth can be lost.
        guard let range = written ?? growth.map({ min($0.from, $0.to)..<$0.to }) else { return nil }
        var (data, visibleEnd) = (RangeSet<UInt64>(), growth?.to ?? range.upperBound)
        for loss in losses {
            switch (loss.effect, loss.extent) {
            case (.write, .bytes(let ranges)?): for lost in ranges { data.insert(contentsOf: lost) }
            case (.write, _): data.insert(contentsOf: range)
            case (.grow, .beyond(let size)?): visibleEnd = size
            case (.grow(_, let from, _), _): visibleEnd = from
            default: return nil
            }
        }
        self.range = range
        let hidden = RangeSet(min(max(visibleEnd, range.lowerBound), range.upperBound)..<range.upperBound)
        lost = data.union(hidden).intersection(RangeSet(range))
        zeros = growth.map { data.intersection(RangeSet(min($0.from, visibleEnd)..<visibleEnd)) } ?? RangeSet()
    }

    /// `kept bytes 0–819, lost 820–1023`
    var words: String {
        let kept = RangeSet(range).subtracting(lost)
        if kept.isEmpty {
            return zeros.isEmpty ? "kept none of its bytes" : "kept the size, lost the bytes: they read as zeros"
        }
        let gone = ByteRangeText.list(Array(lost.ranges))
        let asZeros = zeros.isEmpty ? "" : zeros == lost ? ", which read as zeros" : "; some of them read as zeros"
        return "kept bytes \(ByteRangeText.list(Array(kept.ranges))), lost \(gone)\(asZeros)"
    }
}

/// The content of a file as extents of payloads. Bytes without an extent read as zeros.
///
/// Extents are sorted and do not overlap. A write of one megabyte is one extent until it is split. Extents that are adjacent
/// in the file and in the payload store are merged, so that equal contents are equal maps. The map does not know the
/// file's size: readers clip.
public struct ExtentMap: Hashable, Sendable {
    public struct Extent: Hashable, Sendable {
        public var offsetBytes: UInt64
        public var data: Payload

        public var endBytes: UInt64 { offsetBytes + data.countBytes }
    }

    /// No chunk is empty or has more than `chunkLimit` extents, so that a change of a large map moves few of them.
    private var chunks: [[Extent]] = []
    private static let chunkLimit = 256

    public init() {}

    /// All extents, in order.
    public var extents: [Extent] { chunks.count == 1 ? chunks[0] : Array(chunks.joined()) }

    /// The number of extents.
    public var count: Int { chunks.reduce(0) { $0 + $1.count } }

    public var isEmpty: Bool { chunks.isEmpty }

    /// All bytes from here on read as zeros.
    public var endBytes: UInt64 { chunks.last?.last?.endBytes ?? 0 }

    public static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.chunks.joined().elementsEqual(right.chunks.joined())
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        for extent in chunks.joined() { hasher.combine(extent) }
    }

    /// Writes `data` at `offset`.
    public mutating func write(_ data: Payload, at offset: UInt64) {
        guard data.countBytes > 0 else { return }
        if data.isZeros { return zero(offset..<offset + data.countBytes) }
        let extent = Extent(offsetBytes: offset, data: data)
        guard offset >= endBytes else { return replace(offset..<offset + data.countBytes, with: extent) }
        let at = chunks.count - 1
        if join(extent, to: at) { return }
        if at >= 0, chunks[at].count < Self.chunkLimit { chunks[at].append(extent) } else { chunks.append([extent]) }
    }

    /// Makes `range` read as zeros.
    public mutating func zero(_ range: Range<UInt64>) {
        guard !range.isEmpty, range.lowerBound < endBytes else { return }
        replace(range, with: nil)
    }

    /// The extents that overlap `range`, clipped to it.
    public func slice(_ range: Range<UInt64>) -> [Extent] {
        var result: [Extent] = []
        var at = firstChunk(endingAfter: range.lowerBound)
        guard at < chunks.count else { return result }
        var index = Self.firstIndex(in: chunks[at], endingAfter: range.lowerBound)
        while at < chunks.count {
            while index < chunks[at].count {
                guard chunks[at][index].offsetBytes < range.upperBound else { return result }
                result.append(chunks[at][index].clipped(to: range))
                index += 1
            }
            (at, index) = (at + 1, 0)
        }
        return result
    }

    /// The same bytes in other payloads: `move` gives the new payload of each extent.
    package func moved<Failure: Error>(_ move: (Payload) throws(Failure) -> Payload) throws(Failure) -> Self {
        var result = Self()
        for extent in extents { result.write(try move(extent.data), at: extent.offsetBytes) }
        return result
    }

    /// `range` begins before the end of the last extent.
    private mutating func replace(_ range: Range<UInt64>, with extent: Extent?) {
        let low = firstChunk(endingAfter: range.lowerBound)
        var high = low + 1
        while high < chunks.count, chunks[high][0].offsetBytes < range.upperBound { high += 1 }
        // Moved out of the array, so that it is changed in place.
        var runs: [Extent] = []
        swap(&runs, &chunks[low])
        for at in low + 1..<high { runs += chunks[at] }
        Self.replace(range, with: extent, in: &runs)
        if high < chunks.count, let last = runs.last, last.isFollowed(by: chunks[high][0]) {
            runs[runs.count - 1].data.countBytes += chunks[high][0].data.countBytes
            chunks[high].removeFirst()
            if chunks[high].isEmpty { high += 1 }
        }
        if let first = runs.first, join(first, to: low - 1) { runs.removeFirst() }
        if high == low + 1, !runs.isEmpty, runs.count <= Self.chunkLimit {
            chunks[low] = runs
        } else {
            let half = Self.chunkLimit / 2
            let pieces = stride(from: 0, to: runs.count, by: half).map { Array(runs[$0...].prefix(half)) }
            chunks.replaceSubrange(low..<high, with: pieces)
        }
    }

    /// Merges an extent with the last one of a chunk. False if they are not adjacent.
    private mutating func join(_ extent: Extent, to at: Int) -> Bool {
        guard at >= 0, let last = chunks[at].last, last.isFollowed(by: extent) else { return false }
        chunks[at][chunks[at].count - 1].data.countBytes += extent.data.countBytes
        return true
    }

    private static func replace(_ range: Range<UInt64>, with extent: Extent?, in runs: inout [Extent]) {
        let first = firstIndex(in: runs, endingAfter: range.lowerBound)
        var last = first
        while last < runs.count, runs[last].offsetBytes < range.upperBound { last += 1 }
        var middle: [Extent] = []
        if first < last, runs[first].offsetBytes < range.lowerBound {
            middle.append(runs[first].clipped(to: 0..<range.lowerBound))
        }
        if let extent { middle.append(extent) }
        if first < last, runs[last - 1].endBytes > range.upperBound {
            middle.append(runs[last - 1].clipped(to: range.upperBound..<UInt64.max))
        }
        if middle.count == 1, last - first == 1 {
            runs[first] = middle[0]
        } else {
            runs.replaceSubrange(first..<last, with: middle)
        }
        if extent != nil { merge(around: first, first + middle.count, in: &runs) }
    }

    private static func merge(around first: Int, _ end: Int, in runs: inout [Extent]) {
        var index = Swift.min(end, runs.count - 1)
        while index > 0, index >= first {
            if runs[index - 1].isFollowed(by: runs[index]) {
                runs[index - 1].data.countBytes += runs[index].data.countBytes
                runs.remove(at: index)
            }
            index -= 1
        }
    }

    private func firstChunk(endingAfter offset: UInt64) -> Int {
        Self.firstIndex(chunks.count) { chunks[$0][chunks[$0].count - 1].endBytes > offset }
    }

    private static func firstIndex(in runs: [Extent], endingAfter offset: UInt64) -> Int {
        firstIndex(runs.count) { runs[$0].endBytes > offset }
    }

    /// Binary search: the first index below `count` for which `holds` is true, if it is true for all later ones.
    private static func firstIndex(_ count: Int, _ holds: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension ExtentMap.Extent {
    fileprivate func isFollowed(by next: Self) -> Bool {
        endBytes == next.offsetBytes && data.offsetBytes + data.countBytes == next.data.offsetBytes
    }

    func clipped(to range: Range<UInt64>) -> Self {
        let start = Swift.max(offsetBytes, range.lowerBound)
        let end = Swift.min(endBytes, range.upperBound)
        return Self(offsetBytes: start, data: data.slice(start - offsetBytes, count: end - start))
    }
}

/// Which bytes a file holds, as runs of payloads; what no run covers reads as zeros.
///
/// Runs are sorted and never overlap; a megabyte written at once is one run until something splits it, and runs that
/// follow on each other in the file and in the payload store are one, so that equal contents are equal maps. The map
/// knows nothing of the file's size; readers clip.
public struct ExtentMap: Hashable, Sendable {
    public struct Extent: Hashable, Sendable {
        public var offsetBytes: UInt64
        public var data: Payload

        public var endBytes: UInt64 { offsetBytes + data.countBytes }
    }

    public private(set) var extents: [Extent] = []

    public init() {}

    public var isEmpty: Bool { extents.isEmpty }

    /// Puts `data` at `offset`, over whatever was there.
    public mutating func write(_ data: Payload, at offset: UInt64) {
        guard data.countBytes > 0 else { return }
        if data.isZeros { return zero(offset..<offset + data.countBytes) }
        let extent = Extent(offsetBytes: offset, data: data)
        if offset >= extents.last?.endBytes ?? 0 {
            if let last = extents.last, last.isFollowed(by: extent) {
                extents[extents.count - 1].data.countBytes += data.countBytes
            } else {
                extents.append(extent)
            }
        } else {
            replace(offset..<offset + data.countBytes, with: extent)
        }
    }

    /// Makes `range` read as zeros.
    public mutating func zero(_ range: Range<UInt64>) {
        guard !range.isEmpty, range.lowerBound < extents.last?.endBytes ?? 0 else { return }
        replace(range, with: nil)
    }

    /// The runs within `range`, clipped to it.
    public func slice(_ range: Range<UInt64>) -> [Extent] {
        var result: [Extent] = []
        var index = firstIndex(endingAfter: range.lowerBound)
        while index < extents.count, extents[index].offsetBytes < range.upperBound {
            result.append(extents[index].clipped(to: range))
            index += 1
        }
        return result
    }

    private mutating func replace(_ range: Range<UInt64>, with extent: Extent?) {
        let first = firstIndex(endingAfter: range.lowerBound)
        var last = first
        while last < extents.count, extents[last].offsetBytes < range.upperBound { last += 1 }
        var middle: [Extent] = []
        if first < last, extents[first].offsetBytes < range.lowerBound {
            middle.append(extents[first].clipped(to: 0..<range.lowerBound))
        }
        if let extent { middle.append(extent) }
        if first < last, extents[last - 1].endBytes > range.upperBound {
            middle.append(extents[last - 1].clipped(to: range.upperBound..<UInt64.max))
        }
        if middle.count == 1, last - first == 1 {
            extents[first] = middle[0]
        } else {
            extents.replaceSubrange(first..<last, with: middle)
        }
        if extent != nil { merge(around: first, first + middle.count) }
    }

    private mutating func merge(around first: Int, _ end: Int) {
        var index = Swift.min(end, extents.count - 1)
        while index > 0, index >= first {
            if extents[index - 1].isFollowed(by: extents[index]) {
                extents[index - 1].data.countBytes += extents[index].data.countBytes
                extents.remove(at: index)
            }
            index -= 1
        }
    }

    private func firstIndex(endingAfter offset: UInt64) -> Int {
        var low = 0
        var high = extents.count
        while low < high {
            let middle = (low + high) / 2
            if extents[middle].endBytes > offset { high = middle } else { low = middle + 1 }
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

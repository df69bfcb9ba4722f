/// The latest effect on each unit of one file, as sorted runs that do not overlap.
struct UnitMap {
    struct Run {
        var range: Range<UInt64>
        var effectIndex: Int
    }

    private(set) var runs: [Run] = []

    /// The runs that overlap `range`, clipped to it.
    func runs(in range: Range<UInt64>) -> some Sequence<Run> {
        runs[firstIndex(endingAfter: range.lowerBound)...].lazy
            .prefix { $0.range.lowerBound < range.upperBound }
            .map { Run(range: $0.range.clamped(to: range), effectIndex: $0.effectIndex) }
    }

    mutating func set(_ range: Range<UInt64>, to effectIndex: Int) {
        replace(range, with: Run(range: range, effectIndex: effectIndex))
    }

    mutating func clear(_ range: Range<UInt64>) { replace(range, with: nil) }

    private mutating func replace(_ range: Range<UInt64>, with run: Run?) {
        guard !range.isEmpty else { return }
        let first = firstIndex(endingAfter: range.lowerBound)
        var last = first
        while last < runs.count, runs[last].range.lowerBound < range.upperBound { last += 1 }
        var middle: [Run] = []
        if first < last, runs[first].range.lowerBound < range.lowerBound {
            middle.append(
                Run(range: runs[first].range.lowerBound..<range.lowerBound, effectIndex: runs[first].effectIndex))
        }
        if let run { middle.append(run) }
        if first < last, runs[last - 1].range.upperBound > range.upperBound {
            middle.append(
                Run(range: range.upperBound..<runs[last - 1].range.upperBound, effectIndex: runs[last - 1].effectIndex))
        }
        runs.replaceSubrange(first..<last, with: middle)
    }

    private func firstIndex(endingAfter offset: UInt64) -> Int {
        var low = 0
        var high = runs.count
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].range.upperBound > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension Range<UInt64> {
    /// The smallest range of whole units that covers this one.
    func aligned(to unit: UInt64) -> Range<UInt64> {
        let end = upperBound.addingReportingOverflow(unit - 1)
        return lowerBound / unit * unit..<(end.overflow ? .max / unit : end.partialValue / unit) * unit
    }

    /// The whole units that lie within this range; empty when there is none.
    func wholeUnits(of unit: UInt64) -> Range<UInt64> {
        let outer = aligned(to: unit)
        let first = outer.lowerBound < lowerBound ? outer.lowerBound + unit : outer.lowerBound
        return first..<Swift.max(first, upperBound / unit * unit)
    }
}

/// Bytes at places of a file: runs that are sorted and never overlap.
struct ByteRuns {
    struct Run {
        var offsetBytes: UInt64
        var bytes: [UInt8]

        var range: Range<UInt64> { offsetBytes..<offsetBytes + UInt64(bytes.count) }

        func clipped(to part: Range<UInt64>) -> Run {
            let common = range.clamped(to: part)
            guard !common.isEmpty else { return Run(offsetBytes: offsetBytes, bytes: []) }
            let first = Int(common.lowerBound - offsetBytes)
            return Run(offsetBytes: common.lowerBound, bytes: Array(bytes[first..<first + common.count]))
        }
    }

    private(set) var runs: [Run] = []

    var isEmpty: Bool { runs.isEmpty }

    mutating func removeAll() { runs = [] }

    /// The runs that touch `range`.
    private func places(_ range: Range<UInt64>) -> Range<Int> {
        let first = runs.firstIndex { $0.range.upperBound > range.lowerBound } ?? runs.count
        let end = runs[first...].firstIndex { $0.offsetBytes >= range.upperBound } ?? runs.count
        return range.isEmpty ? first..<first : first..<end
    }

    func overlaps(_ range: Range<UInt64>) -> Bool { !places(range).isEmpty }

    func slice(_ range: Range<UInt64>) -> [Run] { runs[places(range)].map { $0.clipped(to: range) } }

    mutating func remove(_ range: Range<UInt64>) {
        let places = places(range)
        var left: [Run] = []
        for run in runs[places] {
            let before = run.clipped(to: 0..<range.lowerBound)
            let after = run.clipped(to: range.upperBound..<UInt64.max)
            left += [before, after].filter { !$0.bytes.isEmpty }
        }
        runs.replaceSubrange(places, with: left)
    }

    /// Puts `bytes` at `offset`, over what was there.
    mutating func replace(_ offset: UInt64, _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let run = Run(offsetBytes: offset, bytes: bytes)
        remove(run.range)
        runs.insert(run, at: places(run.range).lowerBound)
    }

    /// Puts those of `bytes` at `offset` for which nothing was there.
    mutating func insertMissing(_ offset: UInt64, _ bytes: [UInt8]) {
        let range = offset..<offset + UInt64(bytes.count)
        let present = slice(range)
        replace(offset, bytes)
        for run in present { replace(run.offsetBytes, run.bytes) }
    }

    /// Copies what is known of a buffer that holds the bytes from `offset` on.
    func overlay(_ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) {
        let (end, overflow) = offset.addingReportingOverflow(UInt64(buffer.count))
        guard !overflow else { return }
        for run in slice(offset..<end) {
            let place = Int(run.offsetBytes - offset)
            UnsafeMutableRawBufferPointer(rebasing: buffer[place..<place + run.bytes.count]).copyBytes(from: run.bytes)
        }
    }
}

extension Injection {
    var isDelay: Bool {
        if case .delay = genericFault { true } else { false }
    }

    /// Whether the fault draws random numbers.
    var draws: Bool {
        switch self {
        case .read(.bitflip, _), .read(.misdirect, _), .write(.tear, _), .write(.reorder, _), .write(.misdirect, _):
            true
        case .read(.short, _), .read(.stale, _), .write(.short, _), .write(.drop, _), .sync(_, .lose), .sync(_, .lie),
            .directorySync(.lie):
            false
        case .read(.generic(let fault), _), .write(.generic(let fault), _), .sync(_, .generic(let fault)),
            .directorySync(.generic(let fault)), .other(_, let fault), .any(let fault):
            fault.draws
        }
    }

    /// Whether the fault can change the attempt. A rule neither matches nor counts other attempts.
    func isPossible(_ attempt: Attempt) -> Bool {
        switch self {
        case .read(.short(let count), _), .write(.short(let count), _): attempt.countBytes > count
        case .read(.bitflip, _): attempt.countBytes > 0 && attempt.offsetBytes < attempt.fileSizeBytes
        case .read(.stale, _): attempt.hasOlderBytes
        case .read(.misdirect, _), .write(.misdirect, _): misdirections(attempt).count > 0
        case .write(.tear(let unit), _): units(attempt, unit).count > 1
        case .write(.drop, _), .write(.reorder, _): attempt.countBytes > 0
        case .sync(_, .lose), .sync(_, .lie), .directorySync(.lie): true
        case .read(.generic, _), .write(.generic, _), .sync(_, .generic), .directorySync(.generic), .other, .any: true
        }
    }

    /// Makes the random decisions of the fault. The fault must be possible for the attempt.
    func draw(_ attempt: Attempt, _ stream: inout RandomStream) -> DrawnFault {
        switch self {
        case .read(.generic(let fault), _), .write(.generic(let fault), _), .sync(_, .generic(let fault)),
            .directorySync(.generic(let fault)), .other(_, let fault), .any(let fault):
            return fault.draw(&stream)
        case .read(.short(let count), _), .write(.short(let count), _): return .short(countBytes: count)
        case .read(.bitflip(let location), _):
            let end = min(attempt.endBytes, attempt.fileSizeBytes)
            let offset = attempt.offsetBytes + stream.next(upperBound: end - attempt.offsetBytes)
            return .bitflip(offsetBytes: offset, bit: UInt8(stream.next(upperBound: UInt64(8))), location)
        case .read(.misdirect, _), .write(.misdirect, _): return .misdirect(toBytes: misdirection(attempt, &stream))
        case .read(.stale, _): return .stale
        case .write(.tear(let unit), _): return .tear(lost: tear(attempt, unit, &stream))
        case .write(.drop, _): return .drop
        case .write(.reorder, _): return .reorder(rank: stream.next())
        case .sync(_, .lose(let error, let loss)): return .lose(error, loss)
        case .sync(_, .lie), .directorySync(.lie): return .lie
        }
    }

    // MARK: - Tearing

    /// The units that the attempt touches, by number.
    private func units(_ attempt: Attempt, _ unit: TearUnit) -> Range<UInt64> {
        guard attempt.countBytes > 0, attempt.endBytes > attempt.offsetBytes else { return 0..<0 }
        return attempt.offsetBytes / unit.rawValue..<(attempt.endBytes - 1) / unit.rawValue + 1
    }

    /// A random run of units, but not all: the end of the write, its beginning, or a hole in it.
    private func tear(_ attempt: Attempt, _ unit: TearUnit, _ stream: inout RandomStream) -> Range<UInt64> {
        let units = units(attempt, unit)
        let count = UInt64(units.count)
        let lostCount = 1 + stream.next(upperBound: count - 1)
        let first = units.lowerBound + stream.next(upperBound: count - lostCount + 1)
        let from = max(attempt.offsetBytes, first * unit.rawValue)
        let (end, overflow) = (first + lostCount).multipliedReportingOverflow(by: unit.rawValue)
        return from..<(overflow ? attempt.endBytes : min(attempt.endBytes, end))
    }

    // MARK: - Misdirecting

    /// The other offsets in the file for the attempt, whole sectors away: their count, and the attempt's own sector.
    private func misdirections(_ attempt: Attempt) -> (count: UInt64, own: UInt64) {
        let sector = TearUnit.sector.rawValue
        var end = attempt.fileSizeBytes
        if case .write = self { end = max(end, attempt.endBytes) }
        let within = attempt.offsetBytes % sector
        guard attempt.countBytes > 0, end >= attempt.countBytes, end - attempt.countBytes >= within else {
            return (0, 0)
        }
        let positions = (end - attempt.countBytes - within) / sector + 1
        let own = attempt.offsetBytes / sector
        return (own < positions ? positions - 1 : positions, own)
    }

    private func misdirection(_ attempt: Attempt, _ stream: inout RandomStream) -> UInt64 {
        let (count, own) = misdirections(attempt)
        let drawn = stream.next(upperBound: count)
        let position = drawn < own ? drawn : drawn + 1
        return position * TearUnit.sector.rawValue + attempt.offsetBytes % TearUnit.sector.rawValue
    }
}

extension Injection.GenericFault {
    fileprivate var draws: Bool {
        switch self {
        case .delay(.constant), .fail, .crash: false
        case .delay: true
        }
    }

    fileprivate func draw(_ stream: inout RandomStream) -> DrawnFault {
        switch self {
        case .fail(let error): .fail(error)
        case .delay(let delay): .delay(nanoseconds: delay.draw(from: &stream))
        case .crash(let side): .crash(side)
        }
    }
}

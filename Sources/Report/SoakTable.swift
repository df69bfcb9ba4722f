import Runs

/// What a soak measured, for people: how its cycles ended, and a table over time.
struct SoakTable {
    private let soak: SoakResult
    private let reason: String?
    /// A night has hundreds of intervals.
    private static let mostRows = 12

    /// - Parameter reason: the verdict's reason, which need not be said twice.
    init(_ soak: SoakResult, besides reason: String?) { (self.soak, self.reason) = (soak, reason) }

    func lines(for terminal: Terminal) -> [ReportLine] {
        var lines: [ReportLine] = [ReportLine(cycles)]
        for call in SoakText.calls {
            guard let latency = soak.latencies[call] else { continue }
            lines.append("\(call): \(latency.count.counted("call")), \(SoakText.words(latency))")
        }
        lines += soak.growths.map { English().words(for: $0) }.filter { $0 != reason }.map { ReportLine("\($0)") }
        guard !soak.points.isEmpty else { return lines }
        var table = Table(
            [Table.Column("minute", .right), Table.Column("cycle", .right)]
                + Self.measures.map { Table.Column(SoakText.name($0), .right) } + [Table.Column("recovery", .right)]
                + SoakText.calls.map { Table.Column("\($0) 99 %", .right) })
        for point in Self.chosen(soak.points) {
            let values = Self.measures.map { measure in
                Table.Cell(point.value(of: measure).map { SoakText.value($0, of: measure) } ?? "")
            }
            let latencies = SoakText.calls.map { call in
                Table.Cell(
                    point.latencies[call].map { SoakText.duration(microseconds: $0.p99Microseconds) } ?? "")
            }
            let recovery = SoakText.duration(microseconds: point.recoveryMilliseconds * 1000)
            table.add(
                [Table.Cell(SoakText.decimal(point.seconds / 60)), "\(point.cycles)"] + values + [Table.Cell(recovery)]
                    + latencies)
        }
        return lines + table.lines(for: terminal)
    }

    private static let measures: [SoakMeasure] = [
        .memory, .descriptors, .threads, .storeBytes, .scratchBytes, .ownMemory,
    ]

    /// `240 cycles: 60 reopened, 60 of 60 kills at work, …`
    private var cycles: String {
        let words: [(SoakResult.Cycle, String)] = [
            (.reopen, "reopened"), (.kill, "killed at work"), (.powerCut, "power cut at work"),
            (.ioError, "I/O errors that fired"),
        ]
        let parts = words.map { cycle, words in
            let count = soak.count(of: cycle)
            return "\(count.landed) of \(count.done) \(words)"
        }
        let total = SoakResult.Cycle.allCases.reduce(0) { $0 + soak.count(of: $1).done }
        return "\(total.counted("cycle")): " + parts.joined(separator: ", ")
            + "; \(soak.livesJudged.counted("life", "lives")) judged for leaks"
    }

    /// At most `mostRows` points, the first and the last among them.
    private static func chosen(_ points: [SoakResult.Point]) -> [SoakResult.Point] {
        guard points.count > mostRows else { return points }
        return (0..<mostRows).map { points[$0 * (points.count - 1) / (mostRows - 1)] }
    }
}

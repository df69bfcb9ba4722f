import Bytes

/// Makes a timeline short: what matters stands on lines of its own, the rest is folded together and counted.
enum Timeline {
    /// One event, told.
    struct Told {
        var moment: CrashStory.Moment
        /// Has a line of its own.
        var isKey: Bool
        /// What it did to which file: events of one group can be counted together.
        var group: String
        var isBarrier = false
    }

    private static let repeatedAtMost = 3
    private static let linesAtMost = 36

    static func folded(_ told: [Told]) -> [CrashStory.Moment] {
        guard let first = told.firstIndex(where: \.isKey) else { return summaries(told[...]) }
        var lines: [CrashStory.Moment] = []
        // The last sync before what matters says up to where all was well.
        let context = told[..<first].lastIndex { $0.moment.fate == .synced } ?? first
        lines += summaries(told[..<context])
        var index = context
        while index < told.count {
            let isKey = told[index].isKey || index == context
            let end =
                told[index...].firstIndex {
                    isKey
                        ? $0.group != told[index].group || $0.moment.fate != told[index].moment.fate || !$0.isKey
                        : $0.isKey
                } ?? told.count
            lines += isKey ? repeated(told[index..<max(end, index + 1)]) : summaries(told[index..<end])
            index = max(end, index + 1)
        }
        return lines.count > linesAtMost ? shortened(lines) : lines
    }

    /// Events of one group with one fate: the first, the last, and how many there are between.
    private static func repeated(_ run: ArraySlice<Told>) -> [CrashStory.Moment] {
        let moments = run.map(\.moment)
        guard moments.count > repeatedAtMost, let first = moments.first, let last = moments.last else { return moments }
        let between = CrashStory.Moment(
            from: moments[1].from, through: moments[moments.count - 2].through,
            what: "\(moments.count - 2) more of these",
            fate: first.fate)
        return [first, between, last]
    }

    /// Events of less interest on one line; on two where there are syncs among them: whether one came must be seen.
    private static func summaries(_ run: ArraySlice<Told>) -> [CrashStory.Moment] {
        let syncs = run.filter(\.isBarrier)
        let others = run.filter { !$0.isBarrier }
        return [others, syncs].filter { !$0.isEmpty }.map { summary($0[...]) }
            .sorted { ($0.from, $0.through) < ($1.from, $1.through) }
    }

    /// `14 events: 13 × write a.db-journal, create a.db-journal`
    private static func summary(_ run: ArraySlice<Told>) -> CrashStory.Moment {
        let moments = run.map(\.moment)
        guard moments.count > 1, let first = moments.first, let last = moments.last else {
            var only = run[run.startIndex].moment
            // Not the promise that is broken.
            if only.fate == .promised { only.fate = .other }
            return only
        }
        var counts: [(group: String, count: Int)] = []
        for told in run {
            if let known = counts.firstIndex(where: { $0.group == told.group }) {
                counts[known].count += 1
            } else {
                counts.append((told.group, 1))
            }
        }
        let most = counts.filter { $0.group != "oracle line" || counts.count == 1 }.sorted { $0.count > $1.count }
            .prefix(2).map {
                $0.count == 1 ? $0.group : "\($0.count) × \($0.group)"
            }
        let what =
            "\(moments.count) \(run.allSatisfy(\.isBarrier) ? "syncs" : "events"): " + most.joined(separator: ", ")
            + (counts.count > most.count ? ", …" : "")
        let fates = Set(moments.map(\.fate))
        let fate: CrashStory.Fate =
            fates.contains(.survived)
            ? .survived : fates.contains(.durable) ? .durable : fates == [.synced] ? .synced : .other
        return CrashStory.Moment(from: first.from, through: last.through, what: what, fate: fate)
    }

    /// The first lines and the last ones.
    private static func shortened(_ lines: [CrashStory.Moment]) -> [CrashStory.Moment] {
        let head = lines.prefix(linesAtMost / 2)
        let tail = lines.suffix(linesAtMost / 2 - 1)
        let between = lines[head.count..<lines.count - tail.count]
        let lost = between.count { $0.fate == .lost || $0.fate == .torn }
        let gap = CrashStory.Moment(
            from: between[between.startIndex].from, through: between[between.endIndex - 1].through,
            what: "\(between.count.counted("more line"))" + (lost > 0 ? ", \(lost) of them lost or torn" : ""),
            fate: lost > 0 ? .lost : .other)
        return head + [gap] + tail
    }
}

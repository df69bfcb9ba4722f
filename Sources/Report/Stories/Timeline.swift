import Bytes
import Exploration

/// Shortens a timeline: key events have lines of their own, the others are summarised and counted.
enum Timeline {
    /// One event of the timeline.
    struct Item {
        var moment: CrashStory.Moment
        /// Whether it has a line of its own.
        var isKey: Bool
        /// The operation and the file. Events of one group are counted together.
        var group: String
        var isBarrier = false
    }

    private static let repeatedAtMost = 3
    private static let linesAtMost = 36

    static func folded(_ items: [Item]) -> [CrashStory.Moment] {
        guard let first = items.firstIndex(where: \.isKey) else { return summaries(items[...]) }
        var lines: [CrashStory.Moment] = []
        // The last sync before the first key event gives the context.
        let context = items[..<first].lastIndex { $0.moment.fate == .synced } ?? first
        lines += summaries(items[..<context])
        var index = context
        while index < items.count {
            let isKey = items[index].isKey || index == context
            let end =
                items[index...].firstIndex {
                    isKey
                        ? $0.group != items[index].group || $0.moment.fate != items[index].moment.fate || !$0.isKey
                        : $0.isKey
                } ?? items.count
            lines += isKey ? repeated(items[index..<max(end, index + 1)]) : summaries(items[index..<end])
            index = max(end, index + 1)
        }
        return lines.count > linesAtMost ? shortened(lines) : lines
    }

    /// Events of one group with one fate: the first, the last, and the number of those between.
    private static func repeated(_ run: ArraySlice<Item>) -> [CrashStory.Moment] {
        let moments = run.map(\.moment)
        guard moments.count > repeatedAtMost, let first = moments.first, let last = moments.last else { return moments }
        let between = CrashStory.Moment(
            from: moments[1].from, through: moments[moments.count - 2].through,
            what: "\(moments.count - 2) more of these",
            fate: first.fate)
        return [first, between, last]
    }

    /// Less important events on one line, and their syncs on a second one, because syncs must stay visible.
    private static func summaries(_ run: ArraySlice<Item>) -> [CrashStory.Moment] {
        let syncs = run.filter(\.isBarrier)
        let others = run.filter { !$0.isBarrier }
        return [others, syncs].filter { !$0.isEmpty }.map { summary($0[...]) }
            .sorted { ($0.from, $0.through) < ($1.from, $1.through) }
    }

    /// `14 events: 13 × write a.db-journal, create a.db-journal`
    private static func summary(_ run: ArraySlice<Item>) -> CrashStory.Moment {
        let moments = run.map(\.moment)
        guard moments.count > 1, let first = moments.first, let last = moments.last else {
            var only = run[run.startIndex].moment
            // Only the violated guarantee is shown as promised.
            if only.fate == .promised { only.fate = .other }
            return only
        }
        var counts: [(group: String, count: Int)] = []
        for items in run {
            if let known = counts.firstIndex(where: { $0.group == items.group }) {
                counts[known].count += 1
            } else {
                counts.append((items.group, 1))
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
        let unsynced = moments.count { $0.fate == .survived }
        let isMixed = fates.contains(.survived) && fates.contains(.durable)
        let fate: CrashStory.Fate =
            fates.contains(.survived)
            ? .survived : fates.contains(.durable) ? .durable : fates == [.synced] ? .synced : .other
        return CrashStory.Moment(
            from: first.from, through: last.through, what: what, fate: fate,
            detail: isMixed ? "\(unsynced) of them, the others are durable" : nil)
    }

    /// Keeps the first and the last lines.
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

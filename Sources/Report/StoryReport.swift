import Bytes
import Exploration

/// A crash's story for people: the timeline, the fate of each write, the violation and why it is possible.
///
/// At most 120 columns wide.
struct StoryReport {
    private let story: CrashStory

    private static let widest = 118
    private static let eventColumns = 66

    init(_ story: CrashStory) { self.story = story }

    /// The lines, each after `indent` blanks.
    func lines(for terminal: Terminal, indent: Int) -> [ReportLine] {
        let margin = Self.blanks(indent)
        let who = story.firstCrash == nil ? "what the store did" : "what its recovery did"
        var table = Table([.init(""), .init("event", .right), .init(who), .init(outcome)])
        let rows = rows(widths: 120 - indent - 8)
        for row in rows.shown {
            table.add([
                .init(row.mark, row.style), .init(row.events), .init(row.event),
                .init(Self.shortened(row.fate, to: rows.fateColumns), row.style),
            ])
        }
        var lines = story.firstCrash.map { Self.wrapped("first     ", $0, margin) } ?? []
        lines += table.lines(for: terminal).map { margin + $0 }
        lines.append(margin + Style.heading.shown("──── \(Self.ending(of: story)) ────", on: terminal))
        lines += Self.wrapped("expected  ", story.expected, margin) + Self.wrapped("found     ", story.found, margin)
        if let difference = story.difference { lines += Self.wrapped("differs   ", difference, margin) }
        for (index, reason) in story.reasons.enumerated() {
            lines += Self.wrapped(index == 0 ? "why       " : "          ", reason, margin)
        }
        return lines
    }

    /// What ends the timeline: `power cut after event 47`.
    static func ending(of story: CrashStory) -> String {
        let what =
            switch story.look {
            case nil where story.profile == .profile(.kill) && story.firstCrash == nil: "process killed"
            case nil: story.firstCrash == nil ? "power cut" : "power cut during recovery,"
            case .storage: "no power cut: storage read afresh"
            case .live: "no power cut: the store as it was"
            }
        return "\(what) after event \(story.crashPoint)"
    }

    private var outcome: String { story.look == nil ? "after the crash" : "what came of it" }

    /// A line of the table.
    private struct Row {
        var mark = ""
        var events = ""
        var event: String
        var fate = ""
        var style = Style.plain
    }

    /// The timeline, and the columns that its fates have. If a fate does not fit, its detail gets a row of its own.
    private func rows(widths: Int) -> (shown: [Row], fateColumns: Int) {
        let eventColumns = max(5, story.timeline.map { Self.events($0).count }.max() ?? 0)
        func fateColumns(_ events: [String]) -> Int { widths - eventColumns - max(18, events.map(\.count).max() ?? 0) }
        let room = fateColumns(story.timeline.map { Self.shortened($0.what, to: Self.eventColumns) })
        var rows: [Row] = []
        for moment in story.timeline {
            let (mark, fate, style) = Self.words(moment.fate)
            let whole = (fate + (moment.detail.map { ": \($0)" } ?? "")).printable
            let fits = whole.count <= room
            rows.append(
                Row(
                    mark: mark, events: Self.events(moment), event: Self.shortened(moment.what, to: Self.eventColumns),
                    fate: fits ? whole : fate, style: style))
            if !fits, let detail = moment.detail {
                rows.append(Row(event: Self.shortened("  " + detail, to: Self.eventColumns), style: style))
            }
        }
        return (rows, fateColumns(rows.map(\.event)))
    }

    private static func events(_ moment: CrashStory.Moment) -> String {
        moment.from == moment.through ? "\(moment.from)" : "\(moment.from)-\(moment.through)"
    }

    /// A fate as a mark, as words and as a style.
    static func words(_ fate: CrashStory.Fate) -> (mark: String, text: String, Style) {
        switch fate {
        case .durable: ("", "durable", .faint)
        case .survived: ("", "survived (unsynced)", .plain)
        case .lost: (">>", "LOST", .bad)
        case .torn: (">>", "TORN", .bad)
        case .synced: ("", "sync returned", .good)
        case .failed: ("!", "SYNC FAILED", .doubtful)
        case .unfinished: ("", "had not returned", .doubtful)
        case .asked: ("", "", .plain)
        case .promised: ("=>", "PROMISED", .heading)
        case .refused: ("", "REFUSED", .doubtful)
        case .injected: ("!!", "INJECTED FAULT", .doubtful)
        case .other: ("", "", .plain)
        }
    }

    private static func shortened(_ text: String, to count: Int) -> String {
        let text = text.printable
        return text.count <= count ? text : text.prefix(count - 1) + "…"
    }

    static func blanks(_ count: Int) -> ReportLine { ReportLine(String(repeating: " ", count: count)) }

    /// The text on as many lines as it needs, the first after `title`.
    static func wrapped(_ title: String, _ text: String, _ margin: ReportLine) -> [ReportLine] {
        let room = widest - margin.text.count - title.count
        let text = text.printable
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            var word = word
            while word.count > room {
                if !line.isEmpty { lines.append(line) }
                line = ""
                lines.append(String(word.prefix(room)))
                word = word.dropFirst(room)
            }
            if line.isEmpty {
                line = String(word)
            } else if line.count + 1 + word.count <= room {
                line += " " + word
            } else {
                lines.append(line)
                line = String(word)
            }
        }
        lines.append(line)
        let blanks = String(repeating: " ", count: title.count)
        return lines.enumerated().map { index, line in margin + ReportLine((index == 0 ? title : blanks) + line) }
    }
}

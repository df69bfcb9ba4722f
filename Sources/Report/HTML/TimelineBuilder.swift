import Bytes
import Exploration
import Model
import Replay

/// Builds the timeline of a finding from its facts.
struct TimelineBuilder {
    private let facts: FindingFacts
    /// The crash points right after the oracle lines with broken promises.
    private let promises: Set<Int>
    private var narrator = TraceNarrator()
    private var lanes: [HTMLTimeline.Lane] = [.init(name: "oracle", kind: .oracle)]
    private var laneByPath: [ByteString: Int] = [:]
    private var marks: [HTMLTimeline.Mark] = []
    private var walls: [HTMLTimeline.Wall] = []
    private var markByOperation: [OperationID: Int] = [:]

    private static let lanesAtMost = 12

    init(_ facts: FindingFacts, promises: Set<Int>) {
        self.facts = facts
        self.promises = promises
        for record in facts.before.baseRecords() { narrator.follow(record) }
    }

    mutating func timeline(id: String, ending: String, stateIDs: [String]) -> HTMLTimeline {
        var line = facts.linesBefore
        for (index, event) in facts.events.enumerated() {
            let point = facts.skippedEvents + index + 1
            take(event, narrator.narrate(event), at: point, oracleLine: &line)
        }
        if facts.linesBefore > 0, !marks.contains(where: { $0.lane == 0 }) {
            lanes[0].name = "oracle: \(facts.linesBefore.counted("line")), all of them earlier"
        }
        foldLanes()
        return HTMLTimeline(
            id: id, lanes: lanes, marks: marks, walls: walls,
            states: zip(stateIDs, facts.states).map(state), skippedEvents: facts.skippedEvents,
            isKill: facts.record.profile == .kill && facts.record.firstCrash == nil, ending: ending)
    }

    private mutating func take(_ event: TraceEvent, _ told: TraceLine, at point: Int, oracleLine: inout Int) {
        switch event {
        case .completed: break
        case .operation(let operation):
            markByOperation[operation.id] = marks.count
            let fate: CrashStory.Fate =
                facts.unsynced[operation.id] != nil
                ? .survived : facts.replaced.contains(operation.id) ? .failed : .durable
            var mark = mark(told, point, operation.change.markKind, lane(of: operation.change, told), fate)
            (mark.offset, mark.bytes, mark.size) = (told.offsetBytes, told.countBytes, told.sizeBytes)
            (mark.process, mark.operation) = (operation.process, operation.id.rawValue)
            marks.append(mark)
        case .barrierBegan(let id, let barrier, let process):
            markByOperation[id] = marks.count
            let path: ByteString = if case .flush = barrier { "*" } else { told.path ?? "*" }
            var mark = mark(told, point, .sync, lane(path), .unfinished)
            (mark.process, mark.operation) = (process, id.rawValue)
            marks.append(mark)
        case .barrierEnded(let id, let errno):
            guard let begun = markByOperation[id] else { break }
            marks[begun].fate = (errno == 0 ? CrashStory.Fate.synced : .failed).rawValue
            guard errno == 0 else { break }
            let covers = (facts.madeDurable[point] ?? []).compactMap { markByOperation[$0] }
            for covered in covers { marks[covered].wall = walls.count }
            walls.append(.init(at: marks.count, mark: begun, covers: covers))
        case .oracle:
            oracleLine += 1
            let words = OracleLineText(facts.oracleLines[point] ?? [], number: oracleLine)
            let fate = promises.contains(point) ? .promised : words.fate == .promised ? .other : words.fate
            marks.append(
                .init(
                    event: point, lane: 0, kind: .oracle, text: words.text,
                    fate: fate == .other ? "acknowledged" : fate.rawValue))
        case .fault(let id, _):
            var mark = mark(told, point, .fault, faultLane(), .injected)
            mark.text = "injected fault: \(told.detail ?? "")"
            mark.operation = id.rawValue
            marks.append(mark)
        }
    }

    private func mark(
        _ told: TraceLine, _ point: Int, _ kind: HTMLTimeline.Mark.Kind, _ lane: Int, _ fate: CrashStory.Fate
    ) -> HTMLTimeline.Mark {
        var text = [told.what, told.path.map(Self.shown) ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
        if let other = told.otherPath { text += (told.what == "link" ? " = " : " → ") + Self.shown(other) }
        return .init(event: point, lane: lane, kind: kind, text: text, fate: fate.rawValue)
    }

    // MARK: - Lanes

    private mutating func lane(of change: Change, _ told: TraceLine) -> Int {
        switch change {
        case .create, .link, .unlink: lane(Self.directory(of: told.path ?? "/"), .directory)
        case .rename: lane(Self.directory(of: told.otherPath ?? told.path ?? "/"), .directory)
        default: lane(told.path ?? "/")
        }
    }

    private mutating func lane(_ path: ByteString, _ kind: HTMLTimeline.Lane.Kind = .file) -> Int {
        let path = Self.withoutRemark(path)
        if let known = laneByPath[path] {
            if kind == .directory { makeDirectory(known) }
            return known
        }
        let name = path == "*" ? "everything" : Self.shown(path)
        lanes.append(.init(name: name, kind: .file))
        laneByPath[path] = lanes.count - 1
        if kind == .directory || path == "/" { makeDirectory(lanes.count - 1) }
        return lanes.count - 1
    }

    private mutating func makeDirectory(_ lane: Int) {
        guard lanes[lane].kind != .directory else { return }
        lanes[lane].kind = .directory
        if laneByPath["/"] != lane { lanes[lane].name += "/" }
    }

    private mutating func faultLane() -> Int {
        if let known = lanes.firstIndex(where: { $0.kind == .faults }) { return known }
        lanes.append(.init(name: "injected faults", kind: .faults))
        return lanes.count - 1
    }

    /// Limits the lanes: keeps those with unsynced operations and those with the most marks, and merges the others.
    private mutating func foldLanes() {
        guard lanes.count > Self.lanesAtMost else { return }
        var weights = [Int](repeating: 0, count: lanes.count)
        for mark in marks { weights[mark.lane] += mark.fate == CrashStory.Fate.survived.rawValue ? 1_000_000 : 1 }
        for (index, lane) in lanes.enumerated() where lane.kind == .oracle || lane.kind == .faults {
            weights[index] = .max
        }
        let kept = weights.indices.sorted { (weights[$1], $0) < (weights[$0], $1) }.prefix(Self.lanesAtMost - 1)
            .sorted()
        var places: [Int: Int] = [:]
        for (place, lane) in kept.enumerated() { places[lane] = place }
        let others = HTMLTimeline.Lane(name: "\(lanes.count - kept.count) other files", kind: .others)
        lanes = kept.map { lanes[$0] } + [others]
        for index in marks.indices { marks[index].lane = places[marks[index].lane] ?? kept.count }
    }

    // MARK: - States

    private func state(_ id: String, _ state: StateFacts) -> HTMLTimeline.State {
        let losses = Dictionary(grouping: state.losses, by: \.operation)
        var told = HTMLTimeline.State(id: id, fates: [:], notes: [:], passes: state.verdict == .pass)
        for (operation, parts) in facts.unsynced {
            let key = "\(operation.rawValue)"
            let lost = losses[operation] ?? []
            let isTorn = lost.count < parts.count || lost.contains(where: \.isTorn)
            let fate: CrashStory.Fate = lost.isEmpty ? .survived : isTorn ? .torn : .lost
            told.fates[key] = fate.rawValue
            if !lost.isEmpty { told.notes[key] = lost.map(\.words).joined(separator: "; ") }
        }
        return told
    }

    // MARK: - Paths

    /// The path relative to the store's directory.
    private static func shown(_ path: ByteString) -> String {
        let text = path.description
        return text == "/" ? "the store's directory" : text.hasPrefix("/") ? String(text.dropFirst()) : text
    }

    private static func directory(of path: ByteString) -> ByteString {
        let path = withoutRemark(path)
        guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return "/" }
        return ByteString(path.bytes[..<slash])
    }

    /// The path without the narrator's remark on a file without a name.
    private static func withoutRemark(_ path: ByteString) -> ByteString {
        let remark = Array(" (gone)".utf8)
        return path.bytes.suffix(remark.count).elementsEqual(remark)
            ? ByteString(path.bytes.dropLast(remark.count)) : path
    }
}

extension Change {
    fileprivate var markKind: HTMLTimeline.Mark.Kind {
        switch self {
        case .write: .data
        case .truncate, .allocate: .size
        case .create, .link, .unlink, .rename: .name
        case .setAttributes, .setExtendedAttribute: .attribute
        }
    }
}

extension Loss {
    /// The lost change, such as `bytes 4096–4607 of write a.db, bytes 4096–8191`.
    var words: String {
        guard let extent else { return change }
        switch extent {
        case .bytes(let ranges):
            let shown = ranges.prefix(4).map { "\($0.lowerBound)–\($0.upperBound - 1)" }
            let more = ranges.count > shown.count ? " and \(ranges.count - shown.count) more" : ""
            return "bytes \(shown.joined(separator: ", "))\(more) of \(change)"
        case .beyond(let size): return "\(change): the size stopped at \(size)"
        }
    }

    /// The change that the operation made.
    var change: String {
        guard case .write(_, let offset, let data) = effect, data.countBytes > 0, kind == .write else { return summary }
        return "write \(path), bytes \(offset)–\(offset + data.countBytes - 1)"
    }
}

import Bytes
import Exploration
import Model
import Oracle

/// Makes the story of a failing state after a crash or a fault: selects the important events and determines their fates.
struct Storyteller {
    private let recording: Recording
    private let state: CrashState
    private let violation: Violation
    /// The number of oracle lines before the recording, from earlier lives of the store.
    private let linesBefore: Int
    private let faults: FaultTrail
    private let look: CrashStory.ObservationMode?
    private let losses: [Loss]
    /// The effects of each operation that this crash could have lost.
    private let losable: [OperationID: [Loss]]
    /// The result of each barrier that ended before the crash, and its crash point.
    private let endings: [OperationID: (point: Int, errno: Int32)]

    init(_ failing: FailingState) throws(RecordingError) {
        (recording, state, violation) = (failing.recording, failing.state, failing.violation)
        (linesBefore, look) = (failing.linesBefore, failing.look)
        faults = FaultTrail(failing.faults)
        let (set, _) = try recording.pendingSet(state.profile, at: state.crashPoint)
        losses = set.losses(set.survivors(.losing(state.lost)))
        // A kill loses nothing, but that does not make anything durable.
        let unsynced =
            state.profile == .kill ? try recording.pendingSet(.ext4Ordered, at: state.crashPoint).0 : set
        losable = Dictionary(grouping: unsynced.losses(unsynced.survivors(.nothing)), by: \.operation)
        var endings: [OperationID: (Int, Int32)] = [:]
        for (index, event) in recording.events[..<state.crashPoint].enumerated() {
            if case .barrierEnded(let id, let errno) = event { endings[id] = (index + 1, errno) }
        }
        self.endings = endings
    }

    func tell() throws -> CrashStory {
        var reasons = faults.sentences(recording.events[..<state.crashPoint])
        if look == nil { reasons += LossReasons(recording, state, losses, endings: endings).sentences() }
        let history = try history()
        if linesBefore == 0, !history.contains(where: \.isAcknowledged) {
            reasons.append("Nothing had been acknowledged yet.")
        }
        return CrashStory(
            look: look, headline: violation.headline, profile: look == nil ? .profile(state.profile) : .noCrash,
            crashPoint: state.crashPoint,
            timeline: Timeline.folded(try moments()), expected: violation.expectedWords, found: violation.foundWords,
            difference: difference(history)?.words, reasons: reasons)
    }

    // MARK: - Values

    /// An operation of the oracle's lines before the crash.
    private struct Asked {
        var operation: OracleOperation
        var line: Int
        var isAcknowledged: Bool
    }

    private func history() throws -> [Asked] {
        let lines = recording.oracleLines.prefix(state.oracleLineCount)
        return try lines.enumerated().compactMap { index, line in
            let number = linesBefore + index + 1
            let text = try recording.payloads.bytes(of: line.line)
            guard let parsed = try? OracleLine.parse(text, line: number), let operation = parsed.operation else {
                return nil
            }
            let isAcknowledged = if case .acknowledged = parsed { true } else { false }
            return Asked(operation: operation, line: number, isAcknowledged: isAcknowledged)
        }
    }

    /// The difference between the found value and the most similar expected one. nil for a whole older value of the key,
    /// which is already named by its oracle line.
    private func difference(_ history: [Asked]) -> ValueDifference? {
        guard let key = violation.key, let found = violation.found?.payload else { return nil }
        let expected = violation.expected.compactMap(\.payload)
        guard !expected.isEmpty, !expected.contains(found) else { return nil }
        let known = history.compactMap { asked in
            asked.operation.action.payload.map {
                ValueDifference.Known(key: asked.operation.key, payload: $0, line: asked.line)
            }
        }
        let differences = expected.map { ValueDifference(expected: $0, found: found, key: key, known: known) }
        guard let nearest = differences.max(by: { $0.firstByte < $1.firstByte }) else { return nil }
        let isOlderValue = known.contains { $0.key == key && $0.payload == found }
        return isOlderValue && nearest.firstByte < KeyState.shownBytes ? nil : nearest
    }

    // MARK: - Moments

    private func moments() throws -> [Timeline.Item] {
        var narrator = TraceNarrator()
        for record in recording.base.baseRecords() { narrator.follow(record) }
        let firstLost = losses.map(\.operation).min()
        var hasLost = false
        var line = linesBefore
        var items: [Timeline.Item] = []
        /// The last request before the current event. A loss is shown together with its request.
        var lastAsked: Int?
        let promises = promisedLines
        var trail = faults
        for event in recording.events[..<state.crashPoint] {
            let narrated = narrator.narrate(event)
            trail.follow(event)
            var moment = CrashStory.Moment(
                from: narrated.point, through: narrated.point, what: narrated.storyText, fate: .other)
            var isKey = false
            switch event {
            case .completed, .barrierEnded: continue
            case .operation(let operation):
                if operation.id == firstLost {
                    hasLost = true
                    if let lastAsked { items[lastAsked].isKey = true }
                }
                if look == nil { (moment.fate, moment.detail) = fate(of: operation.id) }
                if let piece = recording.writePiece(at: narrated.point - 1) {
                    moment.what += " (piece \(piece.number) of \(piece.count) of one write)"
                }
                isKey = moment.fate == .lost || moment.fate == .torn
                // A hole is explained by both: the lost operation and the later one that survived.
                isKey = isKey || violation.check == .noHoles && hasLost && moment.fate == .survived
                if let remark = trail.remark(on: operation) {
                    moment.what += " (\(remark))"
                    isKey = true
                }
            case .barrierBegan(let id, _, _):
                isKey = hasLost
                switch endings[id] {
                case nil: moment.fate = .unfinished
                case (let point, 0)?: (moment.fate, moment.through) = (.synced, point)
                case (let point, let errno)?:
                    (moment.fate, moment.through, moment.detail) = (
                        .failed, point, ErrorNumber(rawValue: errno)?.description ?? "errno \(errno)"
                    )
                    isKey = true
                }
            case .oracle(let payload):
                line += 1
                let words = OracleLineText(try recording.payloads.bytes(of: payload), number: line)
                (moment.what, moment.fate) = (words.text, words.fate)
                if moment.fate == .asked { lastAsked = items.count }
                isKey = promises.contains(line) || moment.fate == .refused
                if isKey, moment.fate == .other { moment.fate = .asked }
            case .fault(let id, _):
                isKey = true
                moment.fate = .injected
                moment.what = trail.faultText(of: id) ?? moment.what
                if look != nil, let lastAsked { items[lastAsked].isKey = true }
            }
            var one = Timeline.Item(moment: moment, isKey: isKey, group: narrated.group)
            if case .barrierBegan = event { one.isBarrier = true }
            items.append(one)
        }
        return items
    }

    private func fate(of id: OperationID) -> (CrashStory.Fate, detail: String?) {
        guard let parts = losable[id] else { return (.durable, nil) }
        let lost = losses.filter { $0.operation == id }
        if lost.isEmpty { return (.survived, nil) }
        if lost.count == parts.count, !lost.contains(where: \.isTorn) { return (.lost, nil) }
        let words = TornWrite(parts: parts, losses: lost)?.words
        return (.torn, words ?? "lost: " + lost.map(\.partWords).joined(separator: ", "))
    }

    // MARK: - The oracle

    /// The oracle lines that the violation refers to. If there are none, the last line before the crash.
    private var promisedLines: Set<Int> {
        var lines = Set(
            [violation.line, violation.found?.line].compactMap(\.self) + violation.expected.compactMap(\.line)
                + violation.otherLines)
        if lines.isEmpty { lines.insert(linesBefore + state.oracleLineCount) }
        return lines
    }
}

import Bytes
import Model
import Oracle

/// Tells the story of one failing crash state: picks the events that matter and says what became of each.
struct Storyteller {
    private let recording: Recording
    private let state: CrashState
    private let violation: Violation
    /// The oracle's lines before those of the recording: of earlier lives of the store.
    private let linesBefore: Int
    private let losses: [Loss]
    /// How many parts of each operation this crash could have lost.
    private let losable: [OperationID: Int]
    /// How each barrier ended before the power went, and at which crash point.
    private let endings: [OperationID: (point: Int, errno: Int32)]

    init(
        _ recording: Recording, _ state: CrashState, _ violation: Violation, linesBefore: Int
    ) throws(RecordingError) {
        self.recording = recording
        self.state = state
        self.violation = violation
        self.linesBefore = linesBefore
        let (set, _) = try recording.pendingSet(state.profile, at: state.crashPoint)
        losses = set.losses(set.survivors(.losing(state.lost)))
        var losable: [OperationID: Int] = [:]
        for item in set.lost(set.survivors(.nothing)).items { losable[item.operation, default: 0] += 1 }
        self.losable = losable
        var endings: [OperationID: (Int, Int32)] = [:]
        for (index, event) in recording.events[..<state.crashPoint].enumerated() {
            if case .barrierEnded(let id, let errno) = event { endings[id] = (index + 1, errno) }
        }
        self.endings = endings
    }

    func tell() throws -> CrashStory {
        CrashStory(
            headline: violation.headline, profile: state.profile.rawValue, crashPoint: state.crashPoint,
            timeline: Timeline.folded(try moments()), expected: violation.expectedWords, found: violation.foundWords,
            reasons: LossReasons(recording, state, losses, endings: endings).sentences())
    }

    // MARK: - Moments

    private func moments() throws -> [Timeline.Told] {
        var narrator = TraceNarrator()
        for record in recording.base.baseRecords() { narrator.follow(record) }
        let firstLost = losses.map(\.operation).min()
        var hasLost = false
        var line = linesBefore
        var told: [Timeline.Told] = []
        /// What the store was asked for last: a loss is told with what it was done for.
        var lastAsked: Int?
        let promises = promisedLines
        for event in recording.events[..<state.crashPoint] {
            let narrated = narrator.tell(event)
            var moment = CrashStory.Moment(
                from: narrated.point, through: narrated.point, what: narrated.storyDeed, fate: .other)
            var isKey = false
            switch event {
            case .completed, .barrierEnded: continue
            case .operation(let operation):
                if operation.id == firstLost {
                    hasLost = true
                    if let lastAsked { told[lastAsked].isKey = true }
                }
                (moment.fate, moment.detail) = fate(of: operation.id)
                if let piece = recording.writePiece(at: narrated.point - 1) { moment.what += " (\(piece.words))" }
                isKey = moment.fate == .lost || moment.fate == .torn
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
                let words = OracleLineWords(try recording.payloads.bytes(of: payload), number: line)
                (moment.what, moment.fate) = (words.text, words.fate)
                if moment.fate == .asked { lastAsked = told.count }
                isKey = promises.contains(line) || moment.fate == .refused
                if isKey, moment.fate == .other { moment.fate = .asked }
            case .fault: isKey = true
            }
            told.append(Timeline.Told(moment: moment, isKey: isKey, group: narrated.group))
        }
        return told
    }

    private func fate(of id: OperationID) -> (CrashStory.Fate, detail: String?) {
        guard let count = losable[id] else { return (.durable, nil) }
        let lost = losses.filter { $0.operation == id }
        if lost.isEmpty { return (.survived, nil) }
        if lost.count == count, !lost.contains(where: \.isTorn) { return (.lost, nil) }
        return (.torn, "lost: " + lost.map(\.partWords).joined(separator: ", "))
    }

    // MARK: - The oracle

    /// The lines of the oracle that the violation is about: the promise, and what was asked for it. A violation that
    /// names none is told with the last line before the crash.
    private var promisedLines: Set<Int> {
        var lines = Set(
            [violation.line, violation.found?.line].compactMap(\.self) + violation.expected.compactMap(\.line))
        if lines.isEmpty { lines.insert(linesBefore + state.oracleLineCount) }
        return lines
    }
}

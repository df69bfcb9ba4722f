import Bytes
import Exploration
import Machine
import Replay
import Runs
import Scenarios

/// A finding: its story, timeline, neighbouring crash states and commands.
struct HTMLFinding {
    /// A line of the story.
    struct Row {
        var mark: String
        var events: String
        var what: String
        var fate: String
        var detail: String?
        var rowTone: String
    }

    var id: String
    var number: Int
    var check: String
    var headline: String
    /// The run that shows it, on a page with several runs.
    var context: String?
    var verdict: HTMLVerdict
    var remarks: [String] = []
    var firstCrash: String?
    var hasStory = false
    var who = ""
    /// The headings of the states and of their last column.
    var statesTitle = "What survived"
    var afterTitle = "after the crash"
    /// The heading of the timeline.
    var whole = "run"
    var outcomeTitle = ""
    var rows: [Row] = []
    var ending = ""
    var expected = ""
    var found = ""
    var difference: String?
    var reasons: [String] = []
    /// The store's different error messages, if there are several.
    var errors: [String] = []
    var commands: [HTMLPage.Command] = []
    var caseName: String?
    var timeline: HTMLTimeline?
    var states: [HTMLState] = []
    /// Why there is no timeline; nil if there is one.
    var noTimeline: String?
    // Templates see only stored properties.
    var hasTimeline = false
    var hasSeveralStates = false
    var hasCommands = false

    init(number: Int, check: String, headline: String, verdict: HTMLVerdict) {
        id = "finding-\(number)"
        (self.number, self.check, self.headline, self.verdict) = (number, check, headline, verdict)
    }

    /// A finding of a run.
    ///
    /// - Parameter facts: the facts of its case; nil omits the timeline.
    init(_ finding: Finding, number: Int, _ facts: FindingFacts?) {
        self.init(
            number: number, check: finding.check.rawValue, headline: RunReport.headline(of: finding),
            verdict: finding.known == nil
                ? HTMLVerdict(.violation, word: "violation")
                : HTMLVerdict(word: "known", symbol: "✗", tone: "doubtful"))
        remarks = RunReport.remarks(on: finding)
        if let known = finding.known { remarks.append("known: \(known)") }
        errors = (finding.errors?.count ?? 0) > 1 ? RunReport.errorLines(of: finding) : []
        commands = Self.commands(finding)
        hasCommands = !commands.isEmpty
        caseName = finding.case
        if let account = finding.account { tell(account) }
        if let facts {
            draw(facts, finding.account)
        } else {
            noTimeline =
                finding.account == nil
                ? nil : "There is no timeline: the case's files are not here, or hold no recorded crash."
        }
    }

    private static func commands(_ finding: Finding) -> [HTMLPage.Command] {
        var commands: [HTMLPage.Command] = []
        if let replay = finding.replay {
            commands.append(.init(purpose: "Replay the crash", text: replay))
            // Only a crash of a recorded run has a trace to work on.
            if let path = finding.case, let account = finding.account, account.look == nil {
                let quoted = ReproduceScript.quoted(path)
                func other(_ words: String) -> String {
                    replay.replacing(" replay ", with: " \(words) ", maxReplacements: 1)
                }
                if finding.fix == nil, finding.cause?.losses.isEmpty == false {
                    commands.append(.init(purpose: "Which sync is missing", text: other("explain")))
                }
                commands.append(.init(purpose: "Make it smaller", text: other("minimise")))
                if Confirmer.obstacle(to: finding) == nil {
                    commands.append(.init(purpose: "Look for it on real filesystems (root)", text: other("confirm")))
                }
                let program = replay.prefix { $0 != " " }
                let name = path.split(separator: "/").suffix(3).filter { $0 != "cases" }.joined(separator: "-")
                commands.append(
                    .init(
                        purpose: "Make it one file for a bug report",
                        text: "\(program) case export \(quoted) -o \(ReproduceScript.quoted(name + ".tar"))"))
            }
        }
        if let recheck = finding.recheck { commands.append(.init(purpose: "After a fix: is it gone?", text: recheck)) }
        return commands
    }

    /// The story.
    mutating func tell(_ account: CrashStory) {
        hasStory = true
        firstCrash = account.firstCrash
        if account.firstCrash != nil { whole = "recovery" }
        who = account.firstCrash == nil ? "What the store did" : "What its recovery did"
        outcomeTitle = account.look == nil ? "After the crash" : "What came of it"
        ending = StoryReport.ending(of: account)
        rows = account.timeline.map { moment in
            let (mark, fate, style) = StoryReport.words(moment.fate)
            return Row(
                mark: mark,
                events: moment.from == moment.through ? "\(moment.from)" : "\(moment.from)–\(moment.through)",
                what: moment.what, fate: fate, detail: moment.detail, rowTone: Self.tone(style))
        }
        (expected, found, difference, reasons) = (
            account.expected, account.found, account.difference, account.reasons
        )
    }

    /// The timeline and the states.
    mutating func draw(_ facts: FindingFacts, _ account: CrashStory?) {
        let promises = (account?.timeline ?? []).filter { $0.fate == .promised }.map(\.from)
        let ids = facts.states.indices.map { "\(id)-state-\($0 + 1)" }
        var builder = TimelineBuilder(facts, promises: Set(promises))
        let ending = account.map(StoryReport.ending) ?? "power cut after event \(facts.crashPoint)"
        timeline = builder.timeline(id: id, ending: ending, stateIDs: ids)
        if facts.record.look != nil { (statesTitle, afterTitle) = ("The files when it was looked at", "then") }
        hasTimeline = true
        hasSeveralStates = facts.states.count > 1
        states = zip(ids, facts.states).map {
            HTMLState($1, id: $0, finding: facts.states[0], isCrash: facts.record.look == nil)
        }
    }

    static func tone(_ style: Style) -> String {
        switch style {
        case .plain, .heading: "plain"
        case .good: "good"
        case .bad: "bad"
        case .doubtful: "doubtful"
        case .faint: "faint"
        }
    }
}

import Bytes
import Exploration
import FaultFS
import Machine
import Model
import Oracle
import Platform
import Runs
import Storage
import Targets

/// Injects storage failures while the store works: errors, short counts, no space, failed syncs, wrong bytes.
///
/// Each family of faults has its own store. A life without faults counts where the rule can fire, and a seeded draw
/// chooses the place. Under the fault the store may report errors or continue; without the fault it must open, hold
/// what it had acknowledged and accept new writes. It is judged under the fault, from storage without caches (as after
/// a remount), and after a second life. docs/io-errors.md has the guarantees for each family.
package struct IOErrorRun: ScenarioRun {
    package let scenario: IOErrorScenario
    package let request: RunRequest
    package let context: RunContext
    package let program: String
    package private(set) var tally = RunTally()
    private let client: RecoverClient
    private let budget: TimeBudget
    private let activity: Activity
    /// Whether the current family was tried at all its places; false if the budget ended it early.
    private var isTrialWhole = true

    package init(_ scenario: IOErrorScenario, _ request: RunRequest, _ context: RunContext, program: String) {
        self.scenario = scenario
        self.request = request
        self.context = context
        self.program = program
        client = RecoverClient(request.target)
        budget = TimeBudget(began: MonotonicTime.seconds(), seconds: scenario.budget?.seconds)
        activity = Activity(context.progress)
    }

    /// Whether each family is tried at every place.
    private var isSweep: Bool { scenario.faults == .families(everyPlace: true) }

    private var cycleCount: Int { max(1, scenario.cycles) }

    package mutating func run() throws {
        try RunFiles.makeDirectory(context.scratchFile("states"))
        defer { try? client.close() }
        for cycle in 0..<UInt64(cycleCount) {
            var request = request
            request.seed = self.request.seed &+ cycle
            switch scenario.faults {
            case .families: try tryFamilies(request)
            case .rules(let rules): try tryRules(rules, request)
            }
        }
    }

    private mutating func tryFamilies(_ request: RunRequest) throws {
        guard !budget.isUsedUp else { return }
        activity.begin("io-error: two lives without faults")
        let planner = FaultPlanner(
            request: request, context: context, label: "-\(request.seed)", takesEveryPlace: isSweep)
        let plans = try planner.plans(
            FaultFamily.all.filter { scenario.families.isEmpty || scenario.families.contains($0.name) })
        expect(trials: plans.count)
        for (index, plan) in plans.enumerated() {
            if context.shouldStop() { throw RunError.interrupted }
            activity.begin("io-error: \(plan.family.name.rawValue), \(index + 1) of \(plans.count)")
            let family = plan.family
            var report = FaultReport(
                family: family.name, rule: plan.rule?.description ?? family.template, seed: request.seed,
                outcome: .notTried, guarantee: family.guarantee,
                detail: plan.obstacle.map { context.wording.words(for: $0) })
            if budget.isUsedUp {
                report.detail = context.wording.words(for: .budgetIsUsedUp)
                tally.faults.append(report)
                continue
            }
            if family.guarantee == .corruptionDetection, !request.target.target.detectsCorruption {
                report.detail = "\(request.target.target.name) does not promise to notice bytes that storage changed"
            } else if plan.rule != nil {
                report = try tryPlaces(of: plan, request)
            }
            tally.faults.append(report)
            if isTrialWhole { noteTrial() }
        }
    }

    /// Sets the number of planned trials (`count` for each cycle), if a budget may end the run earlier.
    private mutating func expect(trials count: Int) {
        guard scenario.budget?.seconds != nil, tally.parts == nil else { return }
        tally.parts = .init(0, of: count * cycleCount, .trials)
    }

    private mutating func noteTrial() {
        tally.parts?.epochs += 1
        tally.parts?.exhaustive += 1
    }

    /// Tries the fault at each place until one shows a violation; a sweep tries all places.
    private mutating func tryPlaces(of plan: FaultPlanner.Plan, _ request: RunRequest) throws -> FaultReport {
        var (first, failing): (FaultReport?, FaultReport?)
        var failingCount = 0
        for (index, place) in ([plan] + plan.others).enumerated() {
            guard let rule = place.rule else { continue }
            if context.shouldStop() { throw RunError.interrupted }
            if budget.isUsedUp, first != nil {
                isTrialWhole = false
                break
            }
            var report = try tryUntilItFires(place, rule, request)
            report.places = plan.others.isEmpty ? nil : index + 1
            if report.outcome == .violation {
                guard isSweep else { return report }
                failingCount += 1
                failing = failing ?? report
            }
            first = first ?? report
            first?.places = report.places
        }
        if isSweep {
            let places = first?.places
            first = failing ?? first
            first?.places = places
            first?.failingPlaces = failingCount
        }
        guard let first else { throw RunError.harness("\(plan.family.name.rawValue) was placed nowhere") }
        return first
    }

    /// Tries a rule, and earlier places if it did not fire: the place was counted in another life.
    private mutating func tryUntilItFires(
        _ plan: FaultPlanner.Plan, _ rule: Rule, _ request: RunRequest
    ) throws -> FaultReport {
        var (plan, rule) = (plan, rule)
        while true {
            let trial = Trial(
                request: request, family: plan.family.name, rules: [rule], guarantee: plan.family.guarantee)
            let report = try make(trial)
            guard report.outcome == .neverFired, let earlier = try plan.earlier(), let earlierRule = earlier.rule else {
                return report
            }
            (plan, rule) = (earlier, earlierRule)
        }
    }

    /// Tries the user's rules together.
    private mutating func tryRules(_ rules: [Rule], _ request: RunRequest) throws {
        let guarantees = Set(rules.map(\.guarantee))
        let guarantee: FaultFamily.Guarantee =
            guarantees.contains(.corruptionDetection)
            ? .corruptionDetection : guarantees.contains(.prefix) ? .prefix : .everything
        guard guarantee != .corruptionDetection || request.target.target.detectsCorruption else {
            throw RunError.inconclusive(
                "\(request.target.target.name) does not promise to notice bytes that storage changed, "
                    + "so that nothing can be held against it (manifest: detectsCorruption)")
        }
        if guarantee == .corruptionDetection { tally.appliedContract = .prefix }
        expect(trials: 1)
        guard !budget.isUsedUp else { return }
        activity.begin("io-error")
        try RecoveryControl(request, context).requireOfLife(seed: request.seed)
        tally.faults.append(
            try make(Trial(request: request, family: .rules, rules: rules, guarantee: guarantee)))
        noteTrial()
    }

    // MARK: - A trial

    private struct Trial {
        /// The request of the run, with the seed of this trial.
        var request: RunRequest
        var family: FaultFamilyName
        var rules: [Rule]
        var guarantee: FaultFamily.Guarantee

        var text: String { rules.map { "\($0)" }.joined(separator: "; ") }
    }

    private var faultEventsAtMost: Int { 100 }

    private mutating func make(_ trial: Trial) throws -> FaultReport {
        let run = FaultTrial(
            request: trial.request, context: context, name: "\(trial.family.rawValue)-\(trial.request.seed)")
        let outcome = try run.run(trial.rules)
        var report = FaultReport(
            family: trial.family, rule: trial.text, seed: trial.request.seed, outcome: .survived,
            guarantee: trial.guarantee)
        report.matched = outcome.rules.reduce(0) { $0 + $1.matched }
        report.fired = outcome.firedCount
        report.faults = outcome.faults.prefix(3).map(\.words)
        report.eventCount = outcome.recording.events.count
        report.faultEvents = outcome.recording.events.indices.lazy
            .filter { if case .fault = outcome.recording.events[$0] { true } else { false } }
            .prefix(faultEventsAtMost).map { $0 + 1 }
        if !outcome.first.termination.isSuccess {
            report.outcome = .refused
            report.detail = context.wording.words(for: .workloadEnded(outcome.first.end))
        }
        if case .doesNotOpen(let reason)? = outcome.underRules, report.outcome == .survived {
            report.outcome = .refused
            report.detail = context.wording.words(for: .recoveryRefused(reason: reason))
        }
        if let silent = outcome.rules.first(where: { $0.fired == 0 }) {
            report.outcome = .neverFired
            report.detail = context.wording.words(for: .neverFired(silent.rule, matched: silent.matched))
        }
        tally.acknowledged += outcome.history.acknowledged
        let judge = FaultJudge(
            request: trial.request, guarantee: trial.guarantee, outcome: outcome, client: client,
            scratch: context.scratchFile("states"), backing: run.backing, memory: context.memory.budget,
            activity: activity, wording: context.wording,
            isOver: { [context, budget] in context.shouldStop() || budget.isUsedUp })
        let failures = try judge.judge(&tally)
        if report.fired > 0 { tally.faultsFired += 1 }
        let writer = CaseWriter(request: trial.request, context: context, program: program)
        for failure in failures {
            report.outcome = .violation
            report.detail = context.wording.words(for: failure.fact)
            let cause = Cause(
                failure.check, error: failure.error, hasAcknowledged: outcome.history.acknowledged > 0,
                fault: trial.family)
            var repeated = trial.request
            repeated.scenario = IOErrorScenario(.rules(trial.rules))
            try tally.add(cause, error: failure.error) {
                try writer.write(
                    failure, cause, of: outcome, files: run, rules: trial.rules, doneAgainBy: repeated)
            }
        }
        try run.remove()
        return report
    }
}

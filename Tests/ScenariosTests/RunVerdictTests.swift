import Oracle
import Targets
import Testing

@testable import Exploration
@testable import Runs
@testable import Scenarios

/// When a run may be called a pass.
struct RunVerdictTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var situation: String
        var verdict: Verdict
        var change: @Sendable (inout RunTally) -> Void

        var testDescription: String { "\(situation) → \(verdict.rawValue)" }
    }

    static let finding = Finding(
        check: .durable, strongestProfile: .profile(.strict), lost: [], story: "gone", states: 1)

    private static let broken = Finding(
        check: .filesystem, strongestProfile: .profile(.block), lost: [], story: "mount: EUCLEAN", states: 9)

    @Test(arguments: [
        Example(situation: "faults landed, controls detected, nothing found", verdict: .pass) { _ in },
        Example(situation: "a finding", verdict: .violation) { $0.findings = [finding] },
        Example(situation: "a filesystem that broke", verdict: .filesystem) { $0.findings = [broken] },
        Example(situation: "a finding beside a filesystem that broke", verdict: .violation) {
            $0.findings = [broken, finding]
        },
        Example(situation: "no crash lost anything", verdict: .inconclusive) { $0.counts.lossy = 0 },
        Example(situation: "no live cut landed", verdict: .inconclusive) { $0.cuts[0].landed = false },
        Example(situation: "what failed could not be confirmed", verdict: .inconclusive) { $0.unconfirmed = 1 },
        Example(situation: "no lost key could be made up", verdict: .inconclusive) { $0.detectedChecks = [] },
        Example(situation: "nothing was acknowledged", verdict: .inconclusive) { $0.acknowledged = 0 },
        Example(situation: "a check could not be judged", verdict: .inconclusive) { $0.unjudged = ["several writers"] },
        Example(situation: "a part of the epochs was explored", verdict: .inconclusive) { tally in
            var coverage = Coverage(limits: ExplorationLimits())
            (coverage.epochs, coverage.exhaustedEpochs, coverage.stopped) = (5, 3, .budget)
            tally.coverage = coverage
        },
        Example(situation: "every epoch was explored, one by its bounded search", verdict: .pass) { tally in
            var coverage = Coverage(limits: ExplorationLimits())
            (coverage.epochs, coverage.exhaustedEpochs) = (5, 4)
            coverage.searched = [Coverage.Bound(event: 9, atoms: 90, states: 300)]
            tally.coverage = coverage
        },
        Example(situation: "a budget left power cuts undone", verdict: .inconclusive) {
            $0.parts = .init(3, of: 7, .parts)
        },
        Example(situation: "a budget sufficed for every power cut", verdict: .pass) {
            $0.parts = .init(7, of: 7, .parts)
        },
        Example(situation: "a control passed", verdict: .harnessError) { $0.undetected = ["flipped-bit"] },
        Example(situation: "a control passed beside a finding", verdict: .harnessError) {
            $0.undetected = ["flipped-bit"]
            $0.findings = [finding]
        },
    ])
    func aPassNeedsProof(_ example: Example) throws {
        var tally = RunTally()
        (tally.mutations, tally.detected, tally.counts.lossy) = (3, 3, 5)
        tally.cuts = [RunResult.Cut(cycle: 1, acknowledged: 7, inFlight: 1, landed: true)]
        tally.acknowledged = 7
        tally.detectedChecks = [.durable, .payloadIntegrity]
        example.change(&tally)
        let target = try TargetCatalog(driver: "/nowhere/faultline-target").target("engine").configured()
        var request = RunRequest(target: target, scenario: PowerCutScenario(), contract: .durable)
        #expect(ScenarioRunner.verdict(of: tally, request).0 == example.verdict)
        // What a budget left out is all that --partial accepts.
        request.scenario.budget?.allowsPartial = true
        let isPartial = tally.parts?.isPartial == true || tally.coverage.map { !$0.isComplete } == true
        #expect(ScenarioRunner.verdict(of: tally, request).0 == (isPartial ? .pass : example.verdict))
    }
}

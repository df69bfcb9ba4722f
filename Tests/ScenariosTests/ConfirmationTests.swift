import Block
import Exploration
import Foundation
import Model
import Oracle
import Replay
import Report
import Runs
import Targets
import Testing

@testable import Scenarios

/// Whether a finding was seen on a real filesystem, as facts and in words.
struct ConfirmationTests {
    /// A run that found `findings`.
    private static func result(
        _ verdict: Verdict, _ findings: [Finding] = [], explored: RunResult.Explored? = nil
    ) -> Runs.Confirmation.Attempt {
        var result = RunResult(
            target: "t", configuration: [:], scenario: .block, profile: .one(.block), contract: "durable", seed: 1,
            verdict: verdict, command: "")
        (result.findings, result.explored, result.states.decided) = (findings, explored, 340)
        return .ran(result)
    }

    private static func finding(_ check: Check, states: Int, error: String? = nil, isHang: Bool = false)
        -> Finding
    {
        var finding = Finding(check: check, strongestProfile: .profile(.block), lost: [], story: "", states: states)
        finding.cause = Cause(check, error: error, hasAcknowledged: true, isHang: isHang)
        return finding
    }

    private static let targetCause = TargetCause(
        check: .check(.durable), lossKinds: ["removal of a"],
        cause: Cause(.durable, error: nil, hasAcknowledged: true))

    private static let partial = RunResult.Explored(epochs: 3, of: 9, exhaustive: 3)

    private static let cases: [(attempt: Runs.Confirmation.Attempt, says: String, verdict: Verdict)] = [
        (
            result(.violation, [finding(.durable, states: 12), finding(.opens, states: 3)]),
            "seen on ext4 6.18: 12 of 340 crash states", .violation
        ),
        // Another promise is another finding.
        (result(.violation, [finding(.opens, states: 3)]), "not seen on ext4 6.18 in 340 crash states", .pass),
        (result(.pass), "not seen on ext4 6.18 in 340 crash states: the model allows it", .pass),
        (result(.filesystem, [finding(.filesystem, states: 9)]), "not seen on ext4 6.18 in 340 crash states", .pass),
        (
            result(.inconclusive, explored: partial),
            "not seen on ext4 6.18 in 340 crash states (3/9 epochs: the budget was used up)", .inconclusive
        ),
        (result(.inconclusive), "cannot be seen on ext4 6.18: inconclusive", .inconclusive),
        (result(.harnessError), "cannot be seen on ext4 6.18: harness error", .inconclusive),
        (.cannot(reason: "root: no"), "cannot be seen on ext4 6.18: root: no", .inconclusive),
    ]

    @Test(arguments: cases.indices) func `what a run shows is told, and reads back`(index: Int) throws {
        let (attempt, says, verdict) = Self.cases[index]
        var confirmation = Runs.Confirmation(of: Self.targetCause, below: .ext4, in: attempt)
        confirmation.kernel = "6.18.44-x"
        #expect(confirmation.words.hasPrefix(says), "\(confirmation.words)")
        #expect(Runs.Confirmation.verdict(of: [confirmation]) == verdict)
        let text = try JSONEncoder().encode(confirmation)
        #expect(try JSONDecoder().decode(Runs.Confirmation.self, from: text) == confirmation)
    }

    @Test func `a store that hangs is not one that does not open`() {
        let hang = TargetCause(
            check: .check(.opens), lossKinds: [],
            cause: Cause(.opens, error: "hangs", hasAcknowledged: true, isHang: true))
        let other = Self.result(.violation, [Self.finding(.opens, states: 3, error: "no")])
        #expect(!Runs.Confirmation(of: hang, below: .xfs, in: other).isSeen)
        let same = Self.result(.violation, [Self.finding(.opens, states: 3, error: "hangs", isHang: true)])
        #expect(Runs.Confirmation(of: hang, below: .xfs, in: same).isSeen)
    }

    @Test(arguments: [ScenarioName.kill, .smoke, .ioError, .explore, .powerCut, .block])
    func `what no power cut showed cannot be seen below a filesystem`(name: ScenarioName) throws {
        let type = try #require(ScenarioList.named(name))
        let target = try TargetCatalog(driver: "/nowhere").target("engine").configured()
        let request = RunRequest(target: target, scenario: type.init(), contract: .durable)
        let isPossible: Set<ScenarioName> = [.explore, .powerCut, .block]
        #expect((Confirmer.obstacle(to: request) == nil) == isPossible.contains(name))
    }
}

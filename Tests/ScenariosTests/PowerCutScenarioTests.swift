import Bytes
import Foundation
import Model
import Oracle
import Targets
import Testing

@testable import Scenarios

/// The main job, on real stores: which of them a power cut breaks, and which not.
@Suite(.enabled(if: Machine.hasFUSE, "needs /dev/fuse: power cuts are not tested here"))
struct PowerCutScenarioTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var target: String
        var settings: [Setting]
        var verdict: Verdict
        /// The strongest profile that shows the violation.
        var profile: Profile?

        var testDescription: String {
            ([target] + settings.map { "\($0.name)=\($0.value)" }).joined(separator: " ") + " → \(verdict.rawValue)"
        }
    }

    static func sqlite(_ mode: String, _ synchronous: String) -> [Setting] {
        [Setting(name: "journal_mode", value: mode), Setting(name: "synchronous", value: synchronous)]
    }

    @Test(arguments: [
        Example(target: "sqlite", settings: sqlite("delete", "full"), verdict: .violation, profile: .strict),
        Example(target: "sqlite", settings: sqlite("delete", "extra"), verdict: .pass),
        Example(target: "sqlite", settings: sqlite("wal", "full"), verdict: .pass),
        Example(target: "engine", settings: [], verdict: .pass),
        Example(
            target: "engine", settings: [Setting(name: "planted", value: "ack-before-sync")], verdict: .violation,
            profile: .strict),
    ])
    func aPowerCutFindsWhatEachStoreLoses(_ example: Example) throws {
        let scratch = Scratch()
        let targets = BuiltInTargets(driver: Machine.driver)
        let target = try targets.target(named: example.target).configured(example.settings)
        let request = RunRequest(
            target: target, scenario: .powerCut, contract: target.contract, operationCount: 12, cycles: 1)
        let result = RunSession(parent: ByteString(scratch.url.path), program: "faultline").run(request)
        #expect(result.verdict == example.verdict.rawValue, "\(result.reason ?? "")")
        #expect(result.controls.flagged == result.controls.mutations)
        #expect(result.controls.statesWithLosses > 0)
        #expect(result.controls.cutsLanded == 1)
        guard let profile = example.profile, let finding = result.findings.first else { return }
        #expect(finding.strongestProfile == profile.rawValue)
        // The case shows the same again, from its files alone.
        let replay = try Replay(directory: ByteString(try #require(finding.case)), targets: targets)
        let outcome = try replay.run(scratch: try scratch.make("replay"))
        #expect(outcome.judgement.broken.first?.rawValue == finding.check)
        #expect(outcome.loss.lines == finding.lost)
    }
}

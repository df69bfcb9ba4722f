import Bytes
import Foundation
import Model
import Oracle
import Report
import Targets
import Testing

@testable import Replay
@testable import Runs
@testable import Scenarios

/// The main job, on real stores: which of them a power cut breaks, and which not.
@Suite(.enabled(if: TestMachine.hasFUSE, "needs /dev/fuse: power cuts are not tested here"))
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
        let targets = TargetCatalog(driver: TestMachine.driver)
        let target = try targets.target(example.target).configured(example.settings)
        let request = RunRequest(
            target: target, scenario: PowerCutScenario(.seeded(1)), contract: target.contract, operationCount: 12)
        let result = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(
            request)
        #expect(result.verdict == example.verdict, "\(result.reason ?? "")")
        #expect(result.controls.detected == result.controls.mutations)
        #expect(result.controls.statesWithLosses > 0)
        #expect(result.controls.cutsLanded >= 1)
        guard let profile = example.profile, let finding = result.findings.first else { return }
        #expect(finding.strongestProfile == .profile(profile))
        // The case shows the same again, from its files alone.
        let replay = try Replay(directory: ByteString(try #require(finding.case)), targets: targets, wording: English())
        let outcome = try replay.run(scratch: try scratch.make("replay"))
        #expect(outcome.judgement.broken.first == finding.check)
        #expect(outcome.lost == finding.lost)
    }

    /// A violation in a later life rests on what the store showed when that life began; the case must carry it.
    @Test func casesOfLaterLivesShowTheSameAgain() throws {
        let scratch = Scratch()
        let (findings, targets) = try violations(cycles: 3, scratch)
        for finding in findings {
            let replay = try Replay(
                directory: ByteString(try #require(finding.case)), targets: targets, wording: English())
            let outcome = try replay.run(scratch: try scratch.make("replay-\(UUID().uuidString)"))
            #expect(outcome.judgement.broken.contains(finding.check), "\(finding.story)")
        }
        let later = findings.filter { finding in
            FileManager.default.fileExists(atPath: (finding.case ?? "") + "/shown.jsonl")
        }
        #expect(!later.isEmpty || findings.count == 1)
    }

    enum Damage: String, CaseIterable, Sendable {
        case emptyOracle, shorterOracle, atomThatIsNotThere
    }

    @Test(arguments: Damage.allCases) func aDamagedCaseIsNeverAPass(_ damage: Damage) throws {
        let scratch = Scratch()
        let (findings, targets) = try violations(cycles: 0, scratch)
        let directory = try #require(findings.first?.case)
        let oracle = URL(filePath: directory + "/oracle.jsonl")
        let record = URL(filePath: directory + "/case.json")
        let lines = try String(contentsOf: oracle, encoding: .utf8).split(separator: "\n")
        let text = try String(contentsOf: record, encoding: .utf8)
        let lost = try CaseRecord(directory: ByteString(directory)).lost
        switch damage {
        case .emptyOracle: try Data().write(to: oracle)
        case .shorterOracle: try Data((lines.dropLast().joined(separator: "\n") + "\n").utf8).write(to: oracle)
        case .atomThatIsNotThere: try Data(text.replacing("\"\(lost)\"", with: "\"9999.0\"").utf8).write(to: record)
        }
        #expect(throws: CaseError.self) {
            let replay = try Replay(directory: ByteString(directory), targets: targets, wording: English())
            _ = try replay.run(scratch: try scratch.make("replay-\(UUID().uuidString)"))
        }
    }

    private func violations(cycles: Int, _ scratch: Scratch) throws -> ([Finding], TargetCatalog) {
        let targets = TargetCatalog(driver: TestMachine.driver)
        let target = try targets.target("sqlite").configured(Self.sqlite("delete", "full"))
        let request = RunRequest(
            target: target, scenario: PowerCutScenario(.seeded(cycles)), contract: target.contract,
            operationCount: 8)
        let parent = try scratch.make("runs-\(UUID().uuidString)")
        return (RunSession(parent: parent, program: "faultline", wording: English()).run(request).findings, targets)
    }
}

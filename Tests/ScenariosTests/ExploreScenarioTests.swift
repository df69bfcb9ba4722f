import Bytes
import Engine
import Exploration
import Foundation
import Model
import Oracle
import Report
import Targets
import Testing

@testable import Machine
@testable import Replay
@testable import Runs
@testable import Scenarios

/// Every state that a crash could have left of one run.
@Suite(.enabled(if: TestMachine.hasFUSE)) struct ExploreScenarioTests {
    private let targets = TargetCatalog(driver: TestMachine.driver)

    private func run(
        _ name: String, _ settings: [String], profile: Profile = .ext4Ordered, ops: UInt64 = 12,
        contract: Contract? = nil, scenario: ExploreScenario = ExploreScenario(), valueBytes: Int? = nil,
        _ scratch: Scratch
    ) throws -> RunResult {
        let target = try targets.target(name).configured(settings.map { try Setting(parsing: $0) })
        var request = RunRequest(
            target: target, scenario: scenario, profile: profile, contract: contract ?? target.contract,
            operationCount: ops)
        request.shape.valueBytes = valueBytes
        return RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(request)
    }

    @Test(arguments: [Profile.kill, .strict]) func theEngineIsExhaustedUnderOneOrder(_ profile: Profile) throws {
        let scratch = Scratch()
        let result = try run("engine", [], profile: profile, ops: 50, scratch)
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        #expect(result.states.exhaustive, "\(result.coverage ?? "")")
        #expect(result.states.checked > 50 && result.states.decided > result.states.checked)
        #expect(result.controls.mutations > 0 && result.controls.detected == result.controls.mutations)
    }

    /// Small limits, so that the test is quick; what is left out is said.
    private var quick: ExploreScenario {
        var scenario = ExploreScenario()
        (scenario.limits.statesPerEpoch, scenario.limits.samplesPerEpoch, scenario.limits.pairedAtoms) = (64, 4, 0)
        return scenario
    }

    static let sqlite: [(settings: [String], contract: Contract, verdict: Verdict, story: String)] = [
        (["journal_mode=delete", "synchronous=full"], .durable, .violation, "removal of the name a.db-journal"),
        (["journal_mode=delete", "synchronous=extra"], .durable, .pass, ""),
        (["journal_mode=wal", "synchronous=full"], .durable, .pass, ""),
        (["journal_mode=wal", "synchronous=normal"], .prefix, .pass, ""),
        (["journal_mode=wal", "synchronous=normal"], .durable, .violation, "a.db-wal"),
        (["journal_mode=off", "synchronous=off"], .durable, .violation, "opens"),
    ]

    @Test(arguments: sqlite) func sqliteKeepsAndLosesWhatItsDocumentationSays(
        _ row: (settings: [String], contract: Contract, verdict: Verdict, story: String)
    ) throws {
        let scratch = Scratch()
        let result = try run("sqlite", row.settings, ops: 6, contract: row.contract, scenario: quick, scratch)
        #expect(result.verdict == row.verdict, "\(result.reason ?? ""), \(result.coverage ?? "")")
        #expect(!result.states.exhaustive || result.coverage?.contains("searched") == false)
        guard row.verdict == .violation else { return }
        #expect(result.findings.contains { $0.story.contains(row.story) }, "\(result.findings.map(\.story))")
        let finding = try #require(result.findings.first)
        let replay = try Replay(directory: ByteString(try #require(finding.case)), targets: targets, wording: English())
        #expect(try replay.run(scratch: ByteString(scratch.url.path)).judgement.verdict == .violation)
    }

    /// The known failing of SQLite in its default mode, in words for somebody who does not know it.
    @Test func theUnlinkOfTheJournalIsTold() throws {
        let scratch = Scratch()
        let result = try run("sqlite", ["journal_mode=delete", "synchronous=full"], ops: 6, scenario: quick, scratch)
        #expect(result.findings.count == 1, "\(result.findings.map(\.story))")
        let finding = try #require(result.findings.first)
        #expect(finding.strongestProfile == .profile(.strict))
        let account = try #require(finding.account)
        let lost = account.timeline.filter { $0.fate == .lost || $0.fate == .torn }
        #expect(lost.map(\.what) == ["unlink a.db-journal"])
        #expect(account.timeline.last?.fate == .promised)
        #expect(account.reasons.first?.contains("only after a sync of the directory. There was none") == true)
        // The case is the beginning of the run up to the crash, and nothing else.
        let directory = ByteString(try #require(finding.case))
        let recording = try Recording(tracePath: directory.appending(component: CaseRecord.traceName))
        #expect(recording.events.count == account.crashPoint)
        let outcome = try Replay(directory: directory, targets: targets, wording: English()).run(
            scratch: scratch.make("replay"))
        #expect(outcome.account == account)
    }

    @Test(arguments: zip(["ack-before-sync", "never-sync", "compaction-unsynced"], [Profile.strict, .strict, .kill]))
    func aPlantedBugIsFoundAndItsStrongestProfileIsNamed(_ bug: String, _ profile: Profile) throws {
        let scratch = Scratch()
        let result = try run("engine", ["planted=\(bug)"], ops: 48, scenario: quick, scratch)
        #expect(result.verdict == .violation, "\(result.coverage ?? "")")
        #expect(
            result.findings.contains { $0.strongestProfile == .profile(profile) }, "\(result.findings.map(\.story))")
    }

    @Test func whatIsFoundDoesNotDependOnTheRun() throws {
        let results = try (0..<2).map { _ in
            let scratch = Scratch()
            return try run("sqlite", ["journal_mode=delete", "synchronous=full"], ops: 6, scenario: quick, scratch)
        }
        #expect(results[0].findings.map(\.story) == results[1].findings.map(\.story))
        #expect(results[0].findings.map(\.states) == results[1].findings.map(\.states))
        #expect(results[0].states.checked == results[1].states.checked)
        #expect(results[0].coverage == results[1].coverage)
    }

    @Test func aBudgetThatIsUsedUpIsSaid() throws {
        let scratch = Scratch()
        var scenario = ExploreScenario()
        scenario.budget?.seconds = 1
        let result = try run("sqlite", ["journal_mode=wal"], ops: 60, scenario: scenario, scratch)
        #expect(!result.states.exhaustive)
        #expect(result.coverage?.contains("NOT EXPLORED") == true, "\(result.coverage ?? "")")
        #expect(result.coverage?.contains("the budget is used up") == true)
        #expect(result.command.hasPrefix("faultline explore sqlite "))
    }

    struct Beyond: Sendable {
        var bug: String
        var check: Check
        var change: @Sendable (inout ExploreScenario) throws -> Void
    }
    static let beyond: [Beyond] = [
        Beyond(bug: "tail-rewritten", check: .durable) { $0.limits.depth = 2 },
        Beyond(bug: "number-reused", check: .writable) { $0.probesWriting = true },
        Beyond(bug: "poison-ignored", check: .durable) {
            $0.rules = [try Rule(parsing: "fdatasync path=*.log nth=3 -> EIO lose")]
        },
    ]

    /// Crashes of recoveries, writes after them and faults of the run, of a store that is known by its commands alone.
    @Test(arguments: beyond, [true, false]) func aStoreOfSomebodyElseIsLookedAtAsClosely(
        _ row: Beyond, _ isPlanted: Bool
    ) throws {
        let scratch = Scratch()
        let folder = try scratch.make("target")
        let bug = isPlanted ? row.bug : "none"
        let command = { (role: String) in
            "[\(TestMachine.driver), engine, \(role), --planted=\(bug), --compact_every=0, --batch=0, --segment_kib=32, --reopen=0]"
        }
        try """
        name: other
        description: the engine as a store of somebody else
        workload: \(command("workload"))
        recover: \(command("recover, --persistent"))
        persistent: true
        """.write(toFile: "\(folder)/other.yaml", atomically: true, encoding: .utf8)
        var scenario = quick
        try row.change(&scenario)
        // A record of several pages: the next one, which is written into the last of them, does not save the others.
        let result = try run(
            "\(folder)/other.yaml", [], profile: .strict, ops: 3, scenario: scenario, valueBytes: 5000, scratch)
        guard isPlanted else {
            #expect(result.verdict == .pass, "\(result.reason ?? ""), \(result.coverage ?? "")")
            #expect(scenario.limits.depth == 1 || result.coverage?.contains("; 0 states of crashes") == false)
            return
        }
        let finding = try #require(result.findings.first { $0.check == row.check }, "\(result.reason ?? "")")
        let directory = try RunDirectory(
            in: ByteString(scratch.url.path), target: "case", scenario: "replay", seed: 0)
        let context = try RunContext(directory, wording: English())
        let (_, outcome) = try Replay.show(
            ByteString(try #require(finding.case)), scratch: context.scratch, targets: targets,
            reference: "\(folder)/other.yaml", wording: English(), context: context)
        #expect(outcome.account == finding.account)
        #expect(outcome.judgement.broken.contains(row.check))
        try directory.finish()
    }

    /// A recovery that shows another thing each time: nothing that it shows may be believed.
    @Test func aTargetThatIsNotDeterministicIsSaidToBeSo() throws {
        let scratch = Scratch()
        let script = """
            #!/bin/sh
            if [ $1 = recover ]; then
                printf '{"key":"aw==","payload":"%s"}\\n' "$(date +%N | base64)"
                echo '{"end":true}'
                exit 0
            fi
            printf '{"op":"put","seq":1,"key":"aw==","payload":"","phase":"begin"}\\n' >> "$FAULTLINE_ORACLE"
            echo x > "$FAULTLINE_DIR/log"
            sync "$FAULTLINE_DIR/log" "$FAULTLINE_DIR"
            printf '{"op":"put","seq":1,"key":"aw==","payload":""}\\n' >> "$FAULTLINE_ORACLE"
            """
        let folder = try scratch.make("target")
        try script.write(toFile: "\(folder)/store.sh", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/store.sh")
        try "name: shell\ndescription: d\nworkload: [./store.sh, w]\nrecover: [./store.sh, recover]\n"
            .write(toFile: "\(folder)/shell.yaml", atomically: true, encoding: .utf8)
        let result = try run("\(folder)/shell.yaml", [], scratch)
        #expect(result.verdict != .pass, "\(result.coverage ?? "")")
        // Both looks are told, and kept in a case that shows them again.
        let unstable = try #require(result.unstable?.first)
        #expect(unstable.kind == .again && unstable.first.key == "k" && unstable.first.value != unstable.second.value)
        let directory = ByteString(try #require(unstable.case))
        let observed = try CaseRecord.observedNames.map { try RunFiles.read(directory.appending(component: $0)) }
        #expect(observed[0] != observed[1] && observed.allSatisfy { !$0.isEmpty })
        let outcome = try Replay(
            directory: directory, targets: targets, reference: "\(folder)/shell.yaml", wording: English()
        )
        .run(scratch: try scratch.make("replay"))
        #expect(outcome.judgement.verdict == .inconclusive && outcome.looks != nil)
    }
}

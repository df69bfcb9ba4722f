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

/// Storage that fails at work, on real stores: what each does, and that a rule which shows nothing is never a pass.
@Suite(.enabled(if: TestMachine.hasFUSE, "needs /dev/fuse: I/O errors are not tested here"))
struct IOErrorScenarioTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var target: String
        var setting: String?
        var rule: String
        var verdict: Verdict
        var outcome: FaultReport.Outcome?

        var testDescription: String { "\(target) \(setting ?? ""): \(rule)" }
    }

    @Test(arguments: [
        Example(target: "engine", rule: "fdatasync nth=5 -> EIO lose", verdict: .pass, outcome: .refused),
        Example(target: "engine", rule: "write nth=7 -> short 20", verdict: .pass, outcome: .survived),
        Example(target: "engine", rule: "any -> quota 12KiB", verdict: .pass, outcome: .refused),
        Example(target: "engine", rule: "fsync nth=9 -> lie", verdict: .pass, outcome: .survived),
        Example(target: "events", rule: "write nth=9 -> EIO", verdict: .pass, outcome: .refused),
        Example(target: "engine", rule: "write nth=7 -> reorder", verdict: .pass, outcome: .survived),
        Example(
            target: "sqlite", setting: "journal_mode=wal", rule: "fdatasync path=*-wal nth=9 -> EIO lose",
            verdict: .pass, outcome: .refused),
        Example(
            target: "sqlite", setting: "journal_mode=wal", rule: "fdatasync path=*-wal nth=9 -> EIO lose btrfs",
            verdict: .pass, outcome: .refused),
        // Nothing is shown by a rule that never fires, nor by damage that a store does not promise to notice.
        Example(target: "engine", rule: "rename -> EIO", verdict: .inconclusive, outcome: .neverFired),
        Example(target: "sqlite", rule: "read path=a.db nth=2 -> bitflip", verdict: .inconclusive),
    ])
    func aStoreRefusesOrSurvives(_ example: Example) throws {
        let scratch = Scratch()
        let result = try run(
            example.target, example.setting.map { [try Setting(parsing: $0)] } ?? [], example.rule, scratch)
        #expect(result.verdict == example.verdict, "\(result.reason ?? "")")
        #expect(result.faults?.first?.outcome == example.outcome)
        guard example.verdict == .pass else { return }
        #expect(result.controls.faultsFired == 1)
        #expect(result.controls.detected == result.controls.mutations)
        #expect(!result.notTried.contains(.writable))
        let hit = try #require(result.faults?.first?.faults.first)
        #expect(hit.hasPrefix("op ") && !hit.contains("#"), "\(hit)")
    }

    /// A read is in no trace, and has no number there: it is called by its number among the reads.
    @Test func aFaultOfAReadIsCalledByItsNumber() throws {
        let scratch = Scratch()
        let result = try run("engine", [], "read nth=2 -> EIO", scratch)
        #expect(result.faults?.first?.faults.first?.hasPrefix("read 2 ") == true, "\(result)")
    }

    /// Each family's rule is placed where it fires, or the reason stands there.
    @Test func everyFamilyIsTriedOrSaysWhyNot() throws {
        let scratch = Scratch()
        let target = try TargetCatalog(driver: TestMachine.driver).target("engine").configured([])
        let request = RunRequest(
            target: target, scenario: IOErrorScenario(), contract: target.contract, operationCount: 12)
        let result = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(
            request)
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        let faults = try #require(result.faults)
        #expect(faults.map(\.family) == FaultFamily.all.map(\.name))
        for fault in faults {
            #expect(fault.fired > 0 || fault.outcome == .notTried && fault.detail != nil, "\(fault.rule)")
        }
        #expect(faults.first { $0.family == .fsyncLoseBtrfs }?.places == 4)
        #expect(faults.count { $0.outcome != .notTried } >= 20)
    }

    /// What only a live store showed is a case too: the run is done again.
    @Test func whatALiveStoreShowedIsReplayed() throws {
        let scratch = Scratch()
        let result = try run(
            "engine", [try Setting(parsing: "planted=poison-ignored")], "fsync nth=9 -> EIO lose btrfs", scratch)
        // Storage shows a finding of its own, too: a record behind what was lost says that it was durable.
        let finding = try #require(result.findings.first { $0.account?.look == .live }, "\(result)")
        let path = ByteString(try #require(finding.case))
        let replay = try Replay(directory: path, targets: TargetCatalog(driver: TestMachine.driver), wording: English())
        let directory = try RunDirectory(
            in: ByteString(scratch.url.path), target: "case", scenario: "replay", seed: 0)
        defer { try? directory.finish() }
        let outcome = try replay.run(scratch: try scratch.make("replay"), try RunContext(directory, wording: English()))
        #expect(replay.record.live?.rules == ["fsync nth=9 -> EIO lose btrfs"])
        #expect(outcome.state == nil)
        #expect(outcome.judgement.broken.contains(finding.check), "\(outcome.judgement)")
        #expect(outcome.judgement.verdict == .violation)
        let account = try #require(finding.account)
        #expect(account.look == .live && account.timeline.contains { $0.fate == .injected }, "\(account)")
        #expect(outcome.account == account)
    }

    /// What storage held is told with the fault, too, and a replay tells the same, of an archive as of the case.
    @Test func whatStorageHeldIsToldWithTheFault() throws {
        let scratch = Scratch()
        let result = try run(
            "engine", [try Setting(parsing: "planted=poison-ignored")], "fsync nth=9 -> EIO lose btrfs", scratch,
            operationCount: 40)
        let finding = try #require(result.findings.first { $0.account?.look == .storage }, "\(result.findings)")
        let account = try #require(finding.account)
        let fault = try #require(account.timeline.first { $0.fate == .injected })
        #expect(fault.what == "fdatasync 0000-0000000001.log: EIO lose btrfs")
        #expect(account.timeline.contains { $0.fate == .failed && $0.from > fault.from })
        #expect(account.reasons.first?.contains("failed with EIO and lost the unsynced data") == true)
        #expect(!account.reasons.contains { $0.contains("Nothing is lost") })
        let targets = TargetCatalog(driver: TestMachine.driver)
        let directory = ByteString(try #require(finding.case))
        let archive = ByteString(scratch.url.path).appending(component: "case.tar")
        try CaseArchive.write(directory, to: archive)
        for (place, path) in [("case", directory), ("archive", archive)] {
            let (_, outcome) = try Replay.show(
                path, scratch: try scratch.make(place), targets: targets, wording: English())
            #expect(outcome.account == account, "\(path)")
        }
    }

    /// A store that hangs is told from one that a rule holds up for longer than it may take.
    @Test(arguments: [
        (
            "write path=log nth=2 -> delay 3000s",
            "the rules held the workload up for 3000 s, and it counts as hung after 1 s"
        ),
        ("read path=log -> delay 3000s", "the rules held recovery up for 3000 s, and it counts as hung after 1 s"),
    ])
    func aDelayLongerThanTheTimeoutIsNoHang(rule: String, reason: String) throws {
        let scratch = Scratch()
        let target = try Self.logInAShell(scratch, "timeoutSeconds: 1")
        let request = RunRequest(
            target: target, scenario: IOErrorScenario(.rules([try Rule(parsing: rule)])), contract: target.contract,
            operationCount: 3)
        let result = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(
            request)
        #expect(result.verdict == .inconclusive && result.findings.isEmpty, "\(result)")
        #expect(result.reason?.contains(reason) == true, "\(result.reason ?? "")")
    }

    /// Takes an error of its fourth write for success.
    private static func logInAShell(_ scratch: Scratch, _ more: String = "") throws -> ConfiguredTarget {
        let script = """
            #!/bin/sh
            log="$FAULTLINE_DIR/log"
            if [ $1 = recover ]; then
                [ -s "$log" ] && printf '{"key":"aw==","payload":"%s"}\\n' "$(tail -n 1 "$log")"
                echo '{"end":true}'
                exit 0
            fi
            seq=$FAULTLINE_FIRST_SEQ
            end=$((seq + FAULTLINE_OPS))
            while [ $seq -lt $end ]; do
                value=$(printf '%s' $seq | base64)
                line='{"op":"put","seq":'$seq',"key":"aw==","payload":"'$value'"'
                echo "$line"',"phase":"begin"}' >> "$FAULTLINE_ORACLE"
                printf '%s\\n' "$value" >> "$log" || [ $seq = 4 ] || exit 1
                echo "$line"'}' >> "$FAULTLINE_ORACLE"
                seq=$((seq + 1))
            done
            """
        let folder = try scratch.make("target")
        try script.write(toFile: "\(folder)/store.sh", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/store.sh")
        let manifest =
            "{name: log, description: a log, workload: [./store.sh, workload], recover: [./store.sh, recover], \(more)}"
        try manifest.write(toFile: "\(folder)/log.yaml", atomically: true, encoding: .utf8)
        return try TargetCatalog(driver: TestMachine.driver).target("\(folder)/log.yaml").configured([])
    }

    @Test func aSweepFindsTheOnePlaceWhereAnErrorIsIgnored() throws {
        let scratch = Scratch()
        let target = try Self.logInAShell(scratch)
        let request = RunRequest(
            target: target, scenario: IOErrorScenario(.families(everyPlace: true)), contract: target.contract,
            operationCount: 4)
        let result = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(
            request)
        #expect(result.verdict == .violation && result.command.hasSuffix("--sweep"), "\(result.reason ?? "")")
        let fault = try #require(result.faults?.first { $0.family == .writeEIO })
        #expect(fault.outcome == .violation && fault.places == 4 && fault.failingPlaces == 1, "\(fault)")
        let sync = try #require(result.faults?.first { $0.family == .fsyncEIO })
        #expect(sync.outcome == .notTried, "\(sync)")
    }

    private func run(
        _ name: String, _ settings: [Setting], _ rule: String, _ scratch: Scratch, operationCount: UInt64 = 30
    ) throws -> RunResult {
        let target = try TargetCatalog(driver: TestMachine.driver).target(name).configured(settings)
        let request = RunRequest(
            target: target, scenario: IOErrorScenario(.rules([try Rule(parsing: rule)])), contract: target.contract,
            operationCount: operationCount)
        return RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(request)
    }
}

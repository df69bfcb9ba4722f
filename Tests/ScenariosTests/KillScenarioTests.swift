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

/// Processes that die at work.
@Suite struct KillScenarioTests {
    private let targets = TargetCatalog(driver: TestMachine.driver)

    private func run(
        _ target: ConfiguredTarget, _ scratch: Scratch, cycles: Int = 4, ops: UInt64 = 60, atAck: UInt64? = nil,
        trigger: KillTrigger? = nil
    ) -> RunResult {
        let scenario = KillScenario(killCount: cycles, trigger: trigger ?? atAck.map(KillTrigger.acknowledgement))
        let request = RunRequest(
            target: target, scenario: scenario, contract: target.contract, operationCount: ops)
        let session = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English())
        return session.run(request)
    }

    @Test(arguments: ["engine", "sqlite"]) func aStoreThatWritesBeforeItPromisesSurvives(_ name: String) throws {
        let scratch = Scratch()
        // SQLite has some eighteen boundaries an operation, each a process that recovers: few operations, on a slow machine, too.
        let result = run(try targets.target(name).configured(), scratch, ops: name == "engine" ? 60 : 25)
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        #expect(result.controls.cutsLanded > 0)
        #expect(result.controls.mutations > 0 && result.controls.detected == result.controls.mutations)
        let boundaries = try #require(result.boundaries)
        let isChecked = name == "engine" || TestMachine.hasFUSE
        #expect((boundaries.explored.map { !$0.isPartial && $0.of > 60 } ?? false) == isChecked, "\(boundaries)")
        #expect(result.states.checked >= 5 + boundaries.states)
    }

    /// The built-in workloads stop there: each life, and each run, has as many, with the next operation begun.
    @Test(arguments: ["engine", "sqlite"]) func aKillAtAnAcknowledgementLandsRightBehindIt(_ name: String) throws {
        let scratch = Scratch()
        let result = run(try targets.target(name).configured(), scratch, cycles: 6, atAck: 7)
        #expect(result.verdict == .pass && result.controls.cutsLanded == 6)
        #expect(result.acknowledged == 60 + 6 * 7)
        #expect(result.command.contains("--kill-at-ack 7"))
        #expect(result.cuts.map(\.cycle) == Array(1...6))
        #expect(result.cuts.allSatisfy { $0.landed && $0.acknowledged == 7 && $0.asked == 7 && $0.inFlight == 1 })
        #expect(result.notTried == [], "each life is a write after the last recovery")
        #expect(!RunReport(result).text(for: .plain).contains("later than asked for"))
    }

    /// A batch is acknowledged operation by operation, and several clients at once.
    @Test(arguments: [(4, 1), (1, 3)]) func aKillInABatchOrAmongClientsIsAsExact(batch: Int, threads: Int) throws {
        let scratch = Scratch()
        let target = try targets.target("sqlite").configured()
        var request = RunRequest(
            target: target, scenario: KillScenario(killCount: 3, trigger: .acknowledgement(10)),
            contract: target.contract(clients: threads), operationCount: 60)
        request.shape.batchCount = batch
        request.shape.threadCount = threads
        let result = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(
            request)
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        #expect(result.cuts.map(\.acknowledged) == [10, 10, 10])
        #expect(result.cuts.allSatisfy { $0.inFlight >= 1 }, "\(result.cuts)")
    }

    @Test func howMuchLaterAWorkloadWasKilledThatDoesNotStopIsSaid() throws {
        let scratch = Scratch()
        let target = try shellTarget(scratch, acknowledging: "", pause: "sleep 0.2")
        let result = run(target, scratch, cycles: 2, ops: 30, atAck: 2)
        #expect(result.cuts.allSatisfy { $0.asked == 2 && $0.acknowledged >= 2 }, "\(result.cuts)")
        let isLate = result.cuts.contains { $0.acknowledged > 2 }
        let text = RunReport(result).text(for: .plain)
        #expect(text.contains("later than asked for, and another time elsewhere") == isLate, "\(text)")
        var late = result
        late.cuts[0].acknowledged = 5
        late.cuts[1].acknowledged = 2
        #expect(
            RunReport(late).text(for: .plain)
                .contains("1 up to 3 acknowledgements later than asked for"))
    }

    /// Rotations make a segment, and so does each compaction, every forty operations.
    @Test func aKillAtANewFileLandsInTheMiddleOfWhatMakesIt() throws {
        let scratch = Scratch()
        let trigger = KillTrigger.newFile(try Glob(parsing: "*.log"))
        let result = run(try targets.target("engine").configured(), scratch, cycles: 3, ops: 90, trigger: trigger)
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        #expect(result.cuts.contains { $0.landed && $0.file?.hasSuffix(".log") == true }, "\(result.cuts)")
        #expect(result.command.hasSuffix("--kill-at-file '*.log'"), "\(result.command)")
    }

    /// What happens to a workload that finds a store which survived.
    static let reopened: [(mode: String, scenario: any Scenario, verdict: Verdict, reason: String)] = [
        ("exit 1", SmokeScenario(), .harnessError, "after the store was reopened, the workload exited with 1"),
        ("exit 1", KillScenario(killCount: 1), .violation, "after recovery from kill 0 the workload exited with 1"),
        ("exit 2", KillScenario(killCount: 1), .harnessError, "the workload exited with 2: it was called wrongly"),
    ]

    @Test(arguments: reopened) func aStoreThatTakesNoWriteAfterRecoveryIsFound(
        _ row: (mode: String, scenario: any Scenario, verdict: Verdict, reason: String)
    ) throws {
        let scratch = Scratch()
        let target = try shellTarget(scratch, acknowledging: "", whenThere: row.mode)
        let request = RunRequest(
            target: target, scenario: row.scenario, contract: target.contract, operationCount: 4)
        let result = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(
            request)
        #expect(result.verdict == row.verdict, "\(result.reason ?? "")")
        #expect(result.reason?.contains(row.reason) == true, "\(result.reason ?? "")")
        #expect(row.verdict != .violation || result.findings.map(\.check) == [.writable])
    }

    @Test func whereNoKillLandsNothingIsShown() throws {
        let scratch = Scratch()
        let target = try shellTarget(scratch, acknowledging: "")
        let result = run(target, scratch, cycles: 2, ops: 2, atAck: 2)
        #expect(result.verdict == .inconclusive, "\(result.reason ?? "")")
        #expect(result.reason?.contains("every kill came before or after") == true)
    }

    /// A store that keeps what it acknowledged in memory until it ends.
    @Test func aStoreThatPromisesTooEarlyIsFoundAndItsCaseShowsItAgain() throws {
        let scratch = Scratch()
        let target = try shellTarget(scratch, acknowledging: "late")
        let result = run(target, scratch, cycles: 4, ops: 20, atAck: 5)
        #expect(result.verdict == .violation, "\(result.reason ?? "")")
        let finding = try #require(result.findings.first)
        #expect(
            finding.check == .durable && (finding.account != nil || finding.story.contains("kill 1, after ")),
            "\(finding.story)")
        let directory = ByteString(try #require(finding.case))
        let reference = "\(try #require(target.target.manifest).path)"
        let replay = try Replay(directory: directory, targets: targets, reference: reference, wording: English())
        let outcome = try replay.run(scratch: ByteString(scratch.url.path))
        #expect(outcome.judgement.broken.map(\.rawValue).contains("durable"))
        // The same files hold the promise once the lost write is there: replay judges, and does not repeat.
        let log = scratch.url.appending(path: String(decoding: directory.bytes, as: UTF8.self))
        #expect(FileManager.default.fileExists(atPath: "\(directory)/image"), "\(log)")
    }

    /// Its file is empty for a moment in each operation, which no kill at an acknowledgement meets.
    @Test(.enabled(if: TestMachine.hasFUSE)) func whatNoLiveKillMeetsIsFoundAtTheBoundaryOfAnOperation() throws {
        let scratch = Scratch()
        let target = try shellTarget(scratch, acknowledging: "inplace", pause: "sleep 0.2")
        let result = run(target, scratch, cycles: 2, ops: 6, atAck: 3)
        #expect(result.verdict == .violation && result.controls.cutsLanded == 2, "\(result.reason ?? "")")
        let finding = try #require(result.findings.first)
        #expect(finding.check == .durable && finding.strongestProfile == .profile(.kill) && finding.account != nil)
        #expect(result.boundaries?.explored?.isPartial == false, "\(result.boundaries as Any)")
    }

    /// Each operation puts its number under one key; `late` keeps it in memory until the end, `inplace` rewrites the file.
    /// `whenThere` is what it does when there is a value already, `pause` what it does between a write and its
    /// acknowledgement.
    private func shellTarget(
        _ scratch: Scratch, acknowledging mode: String, whenThere: String = ":", pause: String = ":"
    ) throws -> ConfiguredTarget {
        let script = """
            #!/bin/sh
            if [ $1 = recover ]; then
                [ -s "$FAULTLINE_DIR/value" ] && printf '{"key":"aw==","payload":"%s"}\\n' "$(cat "$FAULTLINE_DIR/value")"
                echo '{"end":true}'
                exit 0
            fi
            [ -e "$FAULTLINE_DIR/value" ] && \(whenThere)
            seq=$FAULTLINE_FIRST_SEQ
            end=$((seq + FAULTLINE_OPS))
            while [ $seq -lt $end ]; do
                value=$(printf '%s' $seq | base64)
                line='{"op":"put","seq":'$seq',"key":"aw==","payload":"'$value'"'
                echo "$line"',"phase":"begin"}' >> "$FAULTLINE_ORACLE"
                [ "\(mode)" = inplace ] && printf '%s' "$value" > "$FAULTLINE_DIR/value"
                [ "\(mode)" ] || { printf '%s' "$value" > "$FAULTLINE_DIR/new"; mv "$FAULTLINE_DIR/new" "$FAULTLINE_DIR/value"; }
                \(pause)
                echo "$line"'}' >> "$FAULTLINE_ORACLE"
                seq=$((seq + 1))
            done
            [ -z "\(mode)" ] || printf '%s' "$value" > "$FAULTLINE_DIR/value"
            """
        let folder = try scratch.make("target")
        let path = "\(folder)/store.sh"
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let manifest = """
            name: shell
            description: one key in a file
            workload: [./store.sh, workload]
            recover: [./store.sh, recover]
            """
        try manifest.write(toFile: "\(folder)/shell.yaml", atomically: true, encoding: .utf8)
        return try targets.target("\(folder)/shell.yaml").configured()
    }
}

import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Report
import Storage
import Targets
import Testing

@testable import Replay
@testable import Runs
@testable import Scenarios

/// The built-in stores, recorded and recovered in this process: no FUSE, no files.
@Suite struct InMemoryExplorationTests {
    private let targets = TargetCatalog(driver: TestMachine.driver)

    private func run(
        _ name: String, _ settings: [String] = [], profile: Profile = .strict, ops: UInt64 = 12,
        in scratch: Scratch, resuming directory: ByteString? = nil, valueBytes: Int? = nil,
        _ change: (inout ExploreScenario) throws -> Void = { _ in }
    ) throws -> RunResult {
        let target = try targets.target(name).configured(settings.map { try Setting(parsing: $0) })
        var scenario = ExploreScenario()
        (scenario.limits.samplesPerEpoch, scenario.limits.pairedAtoms) = (4, 0)
        scenario.limits.statesPerEpoch = 64
        scenario.resumed = directory
        try change(&scenario)
        var request = RunRequest(
            target: target, scenario: scenario, profile: profile, contract: target.contract, operationCount: ops)
        request.shape.valueBytes = valueBytes
        return RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(request)
    }

    @Test(arguments: [("engine", Profile.kill), ("engine", .strict), ("events", .kill), ("events", .strict)])
    func everyStateUnderOneOrderIsRight(_ target: String, _ profile: Profile) throws {
        let scratch = Scratch()
        let result = try run(target, profile: profile, ops: 45, in: scratch) { $0.limits.statesPerEpoch = 65_536 }
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        #expect(result.states.exhaustive, "\(result.coverage ?? "")")
        #expect(result.states.checked > 30 && result.states.decided > result.states.checked)
        #expect(result.controls.mutations > 0 && result.controls.detected == result.controls.mutations)
    }

    static let planted: [(target: String, bug: String, ops: UInt64, check: Check)] = [
        ("engine", "ack-before-sync", 20, .durable), ("engine", "never-sync", 20, .durable),
        ("engine", "directory-unsynced", 20, .durable), ("engine", "compaction-unsynced", 48, .durable),
        ("engine", "checksum-unchecked", 20, .opens), ("events", "never-sync", 20, .durable),
    ]

    @Test(arguments: planted) func aPlantedBugIsFoundAndItsCaseReplays(
        _ row: (target: String, bug: String, ops: UInt64, check: Check)
    ) throws {
        let scratch = Scratch()
        let result = try run(row.target, ["planted=\(row.bug)"], profile: .posixMin, ops: row.ops, in: scratch)
        #expect(result.verdict == .violation, "\(result.reason ?? ""), \(result.coverage ?? "")")
        let finding = try #require(result.findings.first { $0.check == row.check }, "\(result.findings.map(\.story))")
        let replay = try Replay(directory: ByteString(try #require(finding.case)), targets: targets, wording: English())
        let outcome = try replay.run(scratch: try scratch.make("replay"))
        #expect(outcome.judgement.broken.contains(row.check))
    }

    /// A sync that fails loses what it covered, and the store stops; one that lies lets it acknowledge what is not durable.
    @Test(arguments: [("nth=6 -> EIO lose", Verdict.pass), ("-> lie", .violation)])
    func faultsArePartOfTheRecordedRun(_ fault: String, _ verdict: Verdict) throws {
        let scratch = Scratch()
        let result = try run("engine", profile: .posixMin, in: scratch) {
            $0.rules = [try Rule(parsing: "fsync path=*.log " + fault)]
        }
        #expect(result.verdict == verdict, "\(result.reason ?? ""), \(result.coverage ?? "")")
    }

    @Test func aRuleThatNeverFiresIsInconclusive() throws {
        let scratch = Scratch()
        let result = try run("engine", in: scratch) { $0.rules = [try Rule(parsing: "fsync path=nothing -> EIO")] }
        #expect(result.verdict == .inconclusive, "\(result.reason ?? "")")
    }

    @Test func recoveriesAreCrashedTooAndWrittenAfter() throws {
        let scratch = Scratch()
        let result = try run("engine", profile: .ext4Ordered, ops: 6, in: scratch) {
            ($0.limits.depth, $0.probesWriting) = (2, true)
        }
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        #expect(result.coverage?.contains("states of crashes during recovery") == true)
        #expect(result.coverage?.contains("; 0 states") == false)
        #expect(result.notTried == [])
    }

    @Test(arguments: [
        ("engine", "none", Verdict.pass), ("events", "none", .pass), ("engine", "compaction-unsynced", .violation),
    ])
    func everySmallWorkloadIsExplored(_ target: String, _ bug: String, _ verdict: Verdict) throws {
        let scratch = Scratch()
        let result = try run(target, ["planted=\(bug)"], in: scratch) { $0.smallWorkloadSteps = 2 }
        #expect(result.verdict == verdict, "\(result.reason ?? "")")
        let all = target == "engine" ? "64/64 workloads" : "36/36 workloads"
        #expect(result.coverage?.hasPrefix(all) == true, "\(result.coverage ?? "")")
        #expect(result.states.exhaustive)
        guard verdict == .violation else { return }
        #expect(result.findings.first?.story.hasPrefix("after put ") == true, "\(result.findings.map(\.story))")
    }

    @Test func whatIsFoundDependsOnTheSeedAlone() throws {
        let results = try (0..<2).map { _ in
            try run("engine", ["planted=never-sync"], profile: .ext4Ordered, in: Scratch())
        }
        #expect(results[0].findings.map(\.story) == results[1].findings.map(\.story))
        #expect(results[0].findings.map(\.states) == results[1].findings.map(\.states))
        #expect(results[0].coverage == results[1].coverage)
        #expect(results[0].states.checked == results[1].states.checked)
    }

    @Test func aBudgetOfStatesThatIsUsedUpIsSaid() throws {
        let scratch = Scratch()
        let result = try run("engine", profile: .ext4Ordered, ops: 40, in: scratch) {
            $0.limits.budgetStates = 100
        }
        #expect(result.coverage?.contains("the budget of 100 states is used up") == true, "\(result.coverage ?? "")")
        #expect(result.states.checked >= 100 && result.states.checked < 700)
        let none = try run("engine", profile: .ext4Ordered, ops: 40, in: scratch) { $0.limits.budgetStates = 1 }
        #expect(none.coverage?.contains("no epoch was explored completely") == true, "\(none.coverage ?? "")")
    }

    /// Stopped again and again and gone on with, an exploration looks at what it looks at in one piece.
    @Test(arguments: ["none", "never-sync"]) func anExplorationThatWasStoppedIsGoneOnWith(_ bug: String) throws {
        let scratch = Scratch()
        func explore(from directory: ByteString?, _ most: Int?) throws -> RunResult {
            try run(
                "engine", ["planted=\(bug)"], profile: .posixMin, ops: 40, in: scratch, resuming: directory
            ) { ($0.limits.statesPerEpoch, $0.limits.budgetStates) = (1024, most) }
        }
        let whole = try explore(from: nil, nil)
        #expect(whole.resume == nil)
        var last = try explore(from: nil, 100)
        var pieces = 1
        while last.resume != nil, pieces < 50 {
            last = try explore(from: ByteString(try #require(last.directory)), 100)
            pieces += 1
        }
        #expect(pieces > 1 && pieces < 50)
        #expect(last.verdict == whole.verdict, "\(last.reason ?? "")")
        #expect(last.states.checked == whole.states.checked && last.states.decided == whole.states.decided)
        #expect(last.coverage == whole.coverage && last.bounded == whole.bounded)
        // Of each check so many failures are minimised a piece: there may be more causes.
        #expect(Set(whole.findings.map(\.check)).isSubset(of: last.findings.map(\.check)))
        for (number, finding) in last.findings.enumerated() {
            let replay = try Replay(
                directory: ByteString(try #require(finding.case)), targets: targets, wording: English())
            #expect(try !replay.run(scratch: try scratch.make("replay-\(number)")).judgement.broken.isEmpty)
        }
    }

    @Test func whatCannotBeGoneOnWithSaysWhy() throws {
        let scratch = Scratch()
        let stopped = try run("engine", profile: .posixMin, ops: 24, in: scratch) { $0.limits.budgetStates = 50 }
        #expect(stopped.resume?.contains(" --resume ") == true)
        let directory = ByteString(try #require(stopped.directory))
        func refusal(_ ops: UInt64 = 24) throws -> String {
            let result = try run("engine", profile: .posixMin, ops: ops, in: scratch, resuming: directory)
            #expect(result.verdict == .harnessError)
            return result.reason ?? ""
        }
        #expect(try refusal(25).contains("--ops 24"))
        let states = scratch.url.appending(path: URL(fileURLWithPath: "\(directory)").lastPathComponent + "/states.bin")
        let whole = try Data(contentsOf: states)
        for (change, words) in [
            ({ $0[0] ^= 1 }, "at byte 0"), ({ $0[8] ^= 1 }, "at byte 8"), ({ $0[16] ^= 1 }, "at byte 16"),
            ({ $0[24] ^= 1 }, "at byte 24"), ({ $0.removeLast() }, "at byte 24"),
            ({ $0[40] ^= 1 }, "the checksum is wrong"),
        ] as [((inout Data) -> Void, String)] {
            var damaged = whole
            change(&damaged)
            try damaged.write(to: states)
            #expect(try refusal().contains(words), "\(words)")
        }
        let progress = states.deletingLastPathComponent().appending(path: "progress.json")
        let text = try String(contentsOf: progress, encoding: .utf8)
        for (old, new, words) in [
            ("\"doneEpochs\" : ", "\"doneEpochs\" : -1", "no exploration can have come so far"),
            ("\"epochs\" : ", "\"epochs\" : 999999999999999", "no exploration can have come so far"),
            ("{", "", "progress.json is damaged"), ("\"decidedCount\" : ", "\"decidedCount\" : 1", "at byte 16"),
        ] {
            try Data(text.replacing(old, with: new, maxReplacements: 1).utf8).write(to: progress)
            #expect(try refusal().contains(words), "\(new)")
        }
        try Data(text.utf8).write(to: progress)
        try FileManager.default.removeItem(at: states)
        #expect(try refusal().contains("states.bin"))
    }

    /// Small segments and short values: no epoch has more than sixteen unsynced changes, and every state is looked at.
    @Test(arguments: [Profile.ext4Ordered, .xfs]) func aNarrowWorkloadIsExhausted(_ profile: Profile) throws {
        let scratch = Scratch()
        let result = try run("engine", ["segment_kib=4"], profile: profile, ops: 60, in: scratch, valueBytes: 40) {
            ($0.limits.samplesPerEpoch, $0.limits.pairedAtoms, $0.limits.statesPerEpoch) = (256, 48, 65_536)
        }
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        #expect(result.states.exhaustive, "\(result.coverage ?? "")")
        let most = try #require(result.coverage?.firstMatch(of: /up to (\d+) unsynced changes/).flatMap { Int($0.1) })
        #expect((2...16).contains(most))
    }

    /// Memory and files, this process and another one show the same of the same state.
    @Test func recoveryInMemoryShowsWhatTheCommandShows() throws {
        let scratch = Scratch()
        let target = try targets.target("engine").configured()
        let store = try #require(target.builtInStore)
        let recorder = try RecordingStorage(MemoryStorage())
        try store.run(Workload(seed: 5, operationCount: 30), on: recorder, oracle: NoOracle())
        let client = RecoverClient(target)
        let inMemory = MemoryRecovery(store, payloads: recorder.payloads)
        let onFiles = ProcessRecovery(
            payloads: recorder.payloads, client: client, scratch: try scratch.make("states"))
        var set = PendingSet(profile: .posixMin, base: recorder.base)
        var count = 0
        for event in recorder.events {
            set.add(event)
            guard set.eventCount % 4 == 0 else { continue }
            let tree = set.tree(set.survivors(.seeded(UInt64(set.eventCount))))
            let (one, two) = try (
                inMemory.recover(tree, inFreshProcess: false), onFiles.recover(tree, inFreshProcess: false)
            )
            guard case .opened = two.evidence.recovery else {
                if case .opened = one.evidence.recovery { Issue.record("\(set.eventCount): opens in memory alone") }
                continue
            }
            #expect(one.evidence == two.evidence, "event \(set.eventCount)")
            count += 1
        }
        try client.close()
        #expect(count > 10)
    }

    private struct NoOracle: OracleSink {
        func append(_ line: OracleLine) {}
    }
}

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

/// Where the power goes, if somebody aims.
struct CutAimTests {
    @Test(arguments: [
        "work", "create", "rename", "unlink", "recovery", "unlink path=*.log nth=2 -> crash",
        "fsync path=*.wal nth=10 -> crash after",
    ])
    func anAimPrintsAsItIsGiven(_ text: String) throws {
        #expect("\(try CutAim(parsing: ByteString(text)))" == text)
    }

    @Test(arguments: [
        ("rotation", "is none of work, create, rename, unlink, recovery"), ("", "is none of"),
        ("write -> EIO", "does not cut the power"), ("write -> bang", "expected a fault"),
    ])
    func whatIsNoAimIsRefusedWithAReason(_ text: String, _ reason: String) {
        #expect { try CutAim(parsing: ByteString(text)) } throws: { "\($0)".contains(reason) }
    }

    /// A place that never came is tried earlier, down to the first of its kind.
    @Test func aPlaceThatNeverCameIsTriedEarlier() throws {
        var places: [String] = []
        var next: CutPlacement? = CutPlacement(.unlink, number: try #require(AtLeastOne(9)), .before)
        while let place = next {
            places.append("\(place)")
            next = place.earlier()
        }
        #expect(places == [9, 4, 2, 1].map { "unlink nth=\($0) -> crash" })
        #expect(CutPlacement(try Rule(parsing: "unlink nth=9 -> crash")).earlier() == nil)
        #expect(CutPlacement(event: 5).earlier().map { "\($0)" } == "after 2 events")
    }
}

/// Power cuts that are aimed, on real stores.
@Suite(.enabled(if: TestMachine.hasFUSE, "needs /dev/fuse: power cuts are not tested here"))
struct AimedPowerCutTests {
    private let scratch = Scratch()
    private let targets = TargetCatalog(driver: TestMachine.driver)

    private func run(_ target: ConfiguredTarget, _ aims: [String], operations: UInt64 = 50) throws -> RunResult {
        let cuts = PowerCutScenario.Cuts.aimed(try aims.map { try CutAim(parsing: ByteString($0)) }, rounds: 1)
        let request = RunRequest(
            target: target, scenario: PowerCutScenario(cuts), contract: target.contract, operationCount: operations)
        return RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(request)
    }

    private func run(_ name: String, _ aims: [String], operations: UInt64 = 50) throws -> RunResult {
        try run(targets.target(name).configured([]), aims, operations: operations)
    }

    /// Each kind of moment that the store has is hit, and what it was is said.
    @Test func everyKindOfMomentIsHit() throws {
        let aims = ["create", "rename", "unlink", "recovery", "fsync nth=9 -> crash after"]
        let result = try run("events", aims, operations: 70)
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
        let reports = try #require(result.aims)
        #expect(reports.map(\.aim.description) == aims)
        #expect(reports.allSatisfy { $0.outcome == .fired })
        for (report, word) in zip(reports, [": create ", ": rename ", ": unlink ", "after event ", "after op "]) {
            #expect(report.hit?.contains(word) == true, "\(report)")
        }
    }

    /// The same request cuts at the same places.
    @Test func theSameRequestCutsAtTheSamePlaces() throws {
        let reports = try (1...2).map { _ in try run("engine", ["recovery", "create"], operations: 20).aims }
        #expect(reports[0]?.first?.outcome == .fired && reports[0]?.count == 2)
        #expect(reports[0] == reports[1])
    }

    @Test(arguments: [
        // A rule that nothing matches: the life comes to its end.
        ("mkdir -> crash", CutReport.Outcome.neverFired),
        // There is nothing of the kind to aim at.
        ("rename", .notTried),
    ])
    func aCutThatNeverFiredShowsNothing(_ aim: String, _ outcome: CutReport.Outcome) throws {
        let result = try run("engine", [aim], operations: 12)
        #expect(result.verdict == .inconclusive)
        #expect(result.aims?.map(\.outcome) == [outcome])
        #expect(result.reason?.contains("the power cut at") == true)
    }

    /// A store whose recovery rewrites its log in place survives one cut, and not one more while it does that.
    @Test(.enabled(if: ManifestTargetTests.hasPython), arguments: ["inplace", "aside"])
    func aRecoveryThatCannotBeCutIsFoundOut(_ rewriting: String) throws {
        let folder = scratch.url
        try Self.store.write(to: folder.appending(path: "store.py"), atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: folder.appending(path: "store.py").path)
        let manifest = folder.appending(path: "store.yaml")
        try Self.manifest.write(to: manifest, atomically: true, encoding: .utf8)
        let target = try targets.target(manifest.path).configured([Setting(name: "rewrite", value: rewriting)])
        let once = try run(target, ["work"], operations: 20)
        #expect(once.verdict == .pass, "\(once.reason ?? "")")
        let result = try run(target, ["work", "recovery"], operations: 20)
        #expect(result.aims?.map(\.outcome) == [.fired, .fired])
        guard rewriting == "inplace" else {
            #expect(result.verdict == .pass, "\(result.reason ?? "")")
            return
        }
        #expect(result.verdict == .violation)
        let finding = try #require(result.findings.first)
        #expect(finding.story.contains("again during the recovery"))
        let replay = try Replay(
            directory: ByteString(try #require(finding.case)), targets: targets, reference: manifest.path,
            wording: English())
        let outcome = try replay.run(scratch: try scratch.make("replay"))
        #expect(outcome.judgement.broken.first == finding.check)
    }

    private static let manifest = """
        name: rewriting
        description: a log that recovery rewrites
        workload: [./store.py, workload, "{rewrite}"]
        recover: [./store.py, recover, "{rewrite}"]
        persistent: true
        parameters:
          rewrite: [aside, inplace]
        """

    /// Each line is a key; a line that is not whole is what a crash leaves, and recovery writes the log without it.
    private static let store = """
        #!/usr/bin/env python3
        import base64, json, os, sys
        def sync(path):
            file = os.open(path, os.O_RDONLY); os.fsync(file); os.close(file)
        def recover(directory, way):
            log = directory + "/log"
            text = open(log, "rb").read() if os.path.exists(log) else b""
            whole = text[:text.rfind(b"\\n") + 1]
            if way == "inplace":
                open(log, "wb").write(whole); sync(log); sync(directory)
            else:
                open(log + ".new", "wb").write(whole); sync(log + ".new")
                os.rename(log + ".new", log); sync(directory)
            return whole.split(b"\\n")[:-1]
        if sys.argv[1] == "recover":
            for line in sys.stdin.buffer:
                for key in recover(os.fsdecode(line[:-1]), sys.argv[2]):
                    key = base64.b64encode(key).decode()
                    print(json.dumps(dict(key=key, payload=key)))
                print(json.dumps(dict(end=True)), flush=True)
            sys.exit()
        directory = os.environ["FAULTLINE_DIR"]
        recover(directory, "aside")
        log = os.open(directory + "/log", os.O_WRONLY | os.O_APPEND)
        first = int(os.environ["FAULTLINE_FIRST_SEQ"])
        with open(os.environ["FAULTLINE_ORACLE"], "a") as oracle:
            for seq in range(first, first + int(os.environ["FAULTLINE_OPS"])):
                key = base64.b64encode(b"key %d" % seq).decode()
                line = dict(op="put", seq=seq, key=key, payload=key)
                print(json.dumps(dict(line, phase="begin")), file=oracle, flush=True)
                os.write(log, b"key %d\\n" % seq); os.fsync(log)
                print(json.dumps(line), file=oracle, flush=True)
        """
}

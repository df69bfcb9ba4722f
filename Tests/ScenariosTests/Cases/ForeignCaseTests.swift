import Bytes
import Exploration
import Foundation
import Glibc
import Model
import Oracle
import Report
import Storage
import Targets
import Testing

@testable import Replay
@testable import Runs
@testable import Scenarios

/// Nothing that comes from elsewhere reaches a file outside of its own state, whichever command touches it.
@Suite(.enabled(if: SandboxTrial.here.layers.isWhole, "no sandbox works here")) struct ForeignCaseTests {
    private let targets = TargetCatalog(driver: TestMachine.driver)

    enum Way: CaseIterable, Sendable {
        case replay, replayArchive, minimise, image, killed, validate
    }

    @Test(arguments: HostileCase.links.indices, Way.allCases)
    func `a recovery cannot leave its state`(index: Int, way: Way) throws {
        let (what, links) = HostileCase.links[index]
        let scratch = Scratch()
        let hostile = try HostileCase(links, in: scratch)
        let before = try hostile.picture
        let shown: [EscapingLink]
        switch way {
        case .replay, .replayArchive, .killed:
            if way == .killed { try hostile.becomeKilled(links) }
            var path = hostile.directory
            if way == .replayArchive {
                path = ByteString(scratch.url.path + "/case.tar")
                try CaseArchive.write(hostile.directory, to: path, namesMachine: true)
            }
            let (_, outcome) = try Replay.show(
                path, scratch: try scratch.make("replay"), targets: targets, reference: hostile.manifest,
                wording: English())
            #expect(outcome.judgement.broken == [.durable], "\(what)")
            shown = outcome.escapingLinks
        case .minimise:
            let outcome = try CaseMinimiser.minimise(
                hostile.directory, to: ByteString(scratch.url.path + "/small"), targets: targets,
                reference: hostile.manifest, wording: English())
            shown = try #require(outcome.after).outcome.escapingLinks
        case .image:
            let (file, imported) = ("\(scratch.url.path)/case.tar", "\(scratch.url.path)/imported")
            try CaseArchive.write(hostile.directory, to: ByteString(file), namesMachine: true)
            let words = try CaseArchive.unpackWithImage(ByteString(file), into: ByteString(imported))
            #expect(try Tree(skeletonOf: ByteString(imported + "/image")).escapingLinks() == [])
            #expect(words == CaseImage.linksLeftOut(of: ByteString(imported)))
            #expect(words.count == links.count, "\(what)")
            // By hand.
            let target = try targets.target(hostile.manifest).configured()
            _ = try RecoverClient(target).recoverAlone(ByteString(imported + "/image"))
            #expect(try hostile.picture == before, "\(what)")
            return
        case .validate:
            let store = try scratch.make("store")
            try hostile.plant(links, in: store)
            let outcome = try StandaloneValidation(
                target: try targets.target(hostile.manifest).configured(), directory: store,
                oracle: hostile.directory.appending(component: CaseRecord.oracleName), contract: .durable,
                sampleCount: nil, seed: 1, plainInFlight: 1
            ).run()
            #expect(outcome.judgement.broken == [.durable], "\(what)")
            #expect(try hostile.picture == before, "\(what)")
            return
        }
        #expect(try hostile.picture == before, "\(what)")
        #expect(
            shown.map(\.description).sorted() == hostile.resolved(links).map { "\($0.path) -> \($0.target)" }.sorted())
    }

    /// It is the sandbox that keeps it in, and it can be taken away.
    @Test(arguments: [false, true]) func `without a sandbox a recovery does as it likes`(isKilled: Bool) throws {
        let (scratch, links) = (Scratch(), HostileCase.links[0].links)
        let hostile = try HostileCase(links, in: scratch)
        if isKilled { try hostile.becomeKilled(links) }
        let before = try hostile.picture
        _ = try Replay.show(
            hostile.directory, scratch: try scratch.make("replay"), targets: targets, reference: hostile.manifest,
            isSandboxed: false, wording: English())
        #expect(try hostile.picture != before)
    }

    @Test(.enabled(if: TestMachine.hasFUSE)) func `a live run that is done again writes in its own directory alone`()
        throws
    {
        let scratch = Scratch()
        let hostile = try HostileCase([], in: scratch, isLive: true)
        try FileManager.default.removeItem(atPath: hostile.directory.shown + "/case.json")
        let target = try targets.target(hostile.manifest).configured()
        let rules = [try Rule(parsing: "write nth=1 -> EIO")]
        let again = RunRequest(
            target: target, scenario: IOErrorScenario(.rules(rules)), contract: .durable, operationCount: 1)
        var record = hostile.record
        record.scenario = .ioError
        record.live = LiveRun(of: again, rules)
        try record.write(to: hostile.directory)
        let before = try hostile.picture
        for isSandboxed in [true, false] {
            let run = try RunDirectory(
                in: ByteString(scratch.url.path), target: "case", scenario: "replay", seed: 0)
            let replay = try Replay(
                directory: hostile.directory, targets: targets, reference: hostile.manifest, isSandboxed: isSandboxed,
                wording: English())
            // What the run comes to is not the question here.
            _ = try? replay.run(scratch: try scratch.make("replay-\(isSandboxed)"), RunContext(run, wording: English()))
            try run.finish()
            #expect(try (hostile.picture == before) == isSandboxed)
        }
    }

    @Test(arguments: [
        ("valueBytes", "\"valueBytes\" is 99999999; "),
        ("operationCount", "\"operationCount\" is 99999999; 1 to 1000000"),
        ("threadCount", "\"threadCount\" is 99999999; "), ("rules", "\"rules\" is empty"),
        ("crash", "the rule 'write nth=1 -> crash"),
    ])
    func `a live run that cannot be done is refused with the field`(field: String, says: String) throws {
        let scratch = Scratch()
        let hostile = try HostileCase([], in: scratch, isLive: true)
        let target = try targets.target(hostile.manifest).configured()
        let rules = [try Rule(parsing: field == "crash" ? "write nth=1 -> crash" : "write nth=1 -> EIO")]
        let request = RunRequest(
            target: target, scenario: IOErrorScenario(.rules(rules)), contract: .durable, operationCount: 1)
        var live = LiveRun(of: request, rules)
        switch field {
        case "valueBytes": live.valueBytes = 99_999_999
        case "operationCount": live.operationCount = 99_999_999
        case "threadCount": live.threadCount = 99_999_999
        case "rules": live.rules = []
        default: break
        }
        let run = try RunDirectory(in: ByteString(scratch.url.path), target: "case", scenario: "replay", seed: 0)
        let context = try RunContext(run, wording: English())
        #expect {
            try live.repeatRun(target, .strict, .durable, seed: 1, lookingFor: .durable, context)
        } throws: { "\($0)".contains(says) && !"\($0)".contains("LiveRun") }
        try run.finish()
    }

    @Test(.enabled(if: TestMachine.hasFUSE)) func `a live run that takes too long is stopped`() throws {
        let scratch = Scratch()
        let hostile = try HostileCase([], in: scratch, isLive: true)
        let target = try targets.target(hostile.manifest).configured()
        let rules = [try Rule(parsing: "write nth=1 -> delay 3s")]
        let request = RunRequest(
            target: target, scenario: IOErrorScenario(.rules(rules)), contract: .durable, operationCount: 1)
        let run = try RunDirectory(in: ByteString(scratch.url.path), target: "case", scenario: "replay", seed: 0)
        let context = try RunContext(run, wording: English())
        #expect {
            try LiveRun(of: request, rules).repeatRun(
                target, .strict, .durable, seed: 1, lookingFor: .durable, context, timeLimit: .zero)
        } throws: { "\($0)".contains("was stopped") }
        try run.finish()
    }

    enum Missing: CaseIterable, Sendable {
        case trace, oracle, image

        var name: ByteString {
            switch self {
            case .trace: CaseRecord.traceName
            case .oracle: CaseRecord.oracleName
            case .image: CaseRecord.imageName
            }
        }
    }

    /// A directory that somebody packed by hand may hold a link where a case has a file.
    @Test(arguments: Missing.allCases) func `a case that is a link is not read`(file: Missing) throws {
        let scratch = Scratch()
        let hostile = try HostileCase([], in: scratch)
        if file == .image { try hostile.becomeKilled([]) }
        let path = hostile.directory.appending(component: file.name).shown
        try FileManager.default.moveItem(atPath: path, toPath: scratch.url.path + "/elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: scratch.url.path + "/elsewhere")
        let before = try FileManager.default.subpathsOfDirectory(atPath: scratch.url.path + "/elsewhere")
        #expect(throws: TreeError.self) {
            try Replay.show(
                hostile.directory, scratch: try scratch.make("replay"), targets: targets, reference: hostile.manifest,
                wording: English())
        }
        #expect(try FileManager.default.subpathsOfDirectory(atPath: scratch.url.path + "/elsewhere") == before)
        if file != .image {
            #expect(throws: TreeError.self) { try CaseArchive.export(hostile.directory, namesMachine: true) }
        }
    }

    // MARK: - Where no sandbox works

    private func target(_ confinement: Confinement, _ hostile: HostileCase) throws -> ConfiguredTarget {
        var target = try targets.target(hostile.manifest).configured()
        target.confinement = confinement
        return target
    }

    @Test func `links that leave are refused where no sandbox works, unless they are trusted`() throws {
        let scratch = Scratch()
        let hostile = try HostileCase([("a/db", "../../db")], in: scratch)
        let states = try scratch.make("states")
        let trial = SandboxTrial(namespace: nil, landlock: 0, obstacle: "clone: Operation not permitted")
        let link = EscapingLink(path: "a/db", target: "../../db")
        let refusing = try Confinement.foreign(in: states, trusts: false, trial: trial)
        #expect(refusing == .rejectingEscapingLinks(obstacle: "clone: Operation not permitted", nil))
        let target = try target(refusing, hostile)
        let refusal = TargetError.leavingLink(link, .noSandbox(obstacle: "clone: Operation not permitted"))
        #expect(throws: refusal) { try target.confined(for: [link], in: states) }
        #expect("\(refusal)".contains("a/db -> ../../db") && "\(refusal)".contains("--trust"))
        // Without such a link there is nothing to refuse.
        #expect(try target.confined(for: [], in: states).confinement == refusing)
        #expect(try Confinement.foreign(in: states, trusts: true, trial: trial) == .none)
        // A run of our own goes on as it always did.
        let own = try self.target(.onlyEscapingLinks, hostile).confined(for: [link], in: states, trial: trial)
        #expect(own.confinement == .onlyEscapingLinks)
    }

    @Test func `a state with a link that leaves is not even written`() throws {
        let scratch = Scratch()
        let hostile = try HostileCase(HostileCase.links[0].links, in: scratch)
        let trace = hostile.directory.appending(component: CaseRecord.traceName)
        let recording = try Recording(tracePath: trace)
        let states = try scratch.make("states")
        let client = RecoverClient(try target(.rejectingEscapingLinks(obstacle: "none", nil), hostile))
        #expect(throws: TargetError.self) {
            let recovery = ProcessRecovery(payloads: recording.payloads, client: client, scratch: states)
            _ = try recovery.recover(recording.base, inFreshProcess: true)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: states.shown).isEmpty)
    }
}

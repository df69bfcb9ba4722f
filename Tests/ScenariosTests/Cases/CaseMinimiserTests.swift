import Bytes
import Engine
import Exploration
import Foundation
import Model
import Oracle
import Report
import Storage
import Targets
import Testing

@testable import Machine
@testable import Replay
@testable import Runs
@testable import Scenarios

/// A case of a crash at the end of a run that lost all it could becomes the one that the table of planted bugs names.
@Suite struct CaseMinimiserTests {
    private let targets = TargetCatalog(driver: TestMachine.driver)

    /// What each bug breaks at the end of its run. Behind what `poisonIgnored` lost, a record says by then that it was durable.
    @Test(
        arguments: zip(
            [PlantedBug.neverSync, .poisonIgnored, .tailTrusted, .directoryUnsynced],
            [Check.durable, .opens, .opens, .durable]))
    func aLargeCaseBecomesTheSmallestOne(_ bug: PlantedBug, _ check: Check) throws {
        let scratch = Scratch()
        let sighting = try #require(bug.sightings.first)
        var request = try sighting.request(planting: bug.name, targets)
        // The large case does not say which sync is missing.
        var explore = try #require(request.scenario as? ExploreScenario)
        explore.skipsFixes = true
        request.scenario = explore
        let result = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(
            request)
        let smallest = try #require(result.findings.first { $0.check == check })
        let run = ByteString(try #require(result.directory))
        let recording = try Recording(tracePath: run.appending(component: "recorded.trace"))
        let path = run.appending(component: "oracle.jsonl")
        let oracle = OraclePrefix(path: path, countBytes: RunFiles.size(of: path))
        let state = try recording.state(.posixMin, at: recording.events.count, .nothing)
        let large = try scratch.make("large")
        try CaseWriter.write(state, of: recording, oracle: oracle, shown: nil, to: large)
        try CaseRecord(
            target: sighting.target, configuration: request.target.configurationByName,
            contract: request.contract.name, scenario: .explore, seed: request.seed, state: state,
            check: .check(check), story: "large"
        ).write(to: large)

        let small = ByteString(scratch.url.appending(path: "small").path)
        let outcome = try CaseMinimiser.minimise(large, to: small, targets: targets, wording: English())
        let after = try #require(outcome.after)
        #expect(outcome.before.lost.items.count > smallest.lost.count || outcome.before.profile == .posixMin)
        #expect(after.outcome.account == smallest.account)
        #expect(after.replay.record.check == .check(check))
        let again = try Replay.show(small, scratch: try scratch.make("again"), targets: targets, wording: English()).1
        #expect(again.account == smallest.account)
        #expect(
            FileManager.default.contentsEqual(
                atPath: small.appending(component: "image").description,
                andPath: try #require(smallest.case) + "/image"))
    }

    @Test func aCaseThatDoesNotFailAnyMoreIsNotWritten() throws {
        let scratch = Scratch()
        let sighting = try #require(PlantedBug.neverSync.sightings.first)
        let request = try sighting.request(planting: "never-sync", targets)
        let result = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(
            request)
        let directory = ByteString(try #require(result.findings.first?.case))
        var record = try CaseRecord(directory: directory)
        // Before the acknowledgement, which is its last event, nothing is promised.
        record.crashPoint -= 1
        let asked =
            try RunFiles.read(directory.appending(component: CaseRecord.oracleName))
            .prefix { $0 != UInt8(ascii: "\n") } + [UInt8(ascii: "\n")]
        for name in [CaseRecord.fileName, CaseRecord.oracleName] {
            try FileManager.default.removeItem(atPath: directory.appending(component: name).description)
        }
        try OutputFile.create(directory.appending(component: CaseRecord.oracleName), Array(asked))
        try record.write(to: directory)
        let small = ByteString(scratch.url.appending(path: "small").path)
        #expect(try CaseMinimiser.minimise(directory, to: small, targets: targets, wording: English()).after == nil)
        #expect(!FileManager.default.fileExists(atPath: small.description))
    }
}

import Bytes
import Engine
import Foundation
import Model
import Targets
import Testing

@testable import Scenarios

/// Which scenario catches which planted bug: every row of the table is run, and its case replayed.
@Suite struct PlantedSightingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var bug: PlantedBug
        var sighting: PlantedSighting
        var testDescription: String { "\(bug.name) by \(sighting.scenario.rawValue)" }
    }

    private static let rows = PlantedBug.allCases.flatMap { bug in bug.sightings.map { Row(bug: bug, sighting: $0) } }

    private static let needingFUSE: Set<Scenario> = [.powerCut, .ioError]

    @Test(arguments: rows.filter { !needingFUSE.contains($0.sighting.scenario) })
    func theScenarioCatchesTheBug(_ row: Row) throws { try look(row) }

    @Test(
        .enabled(if: Machine.hasFUSE, "needs /dev/fuse: power cuts and I/O errors are not tested here"),
        arguments: rows.filter { needingFUSE.contains($0.sighting.scenario) })
    func aMountCatchesTheBug(_ row: Row) throws { try look(row) }

    /// The same runs without the bug accuse nobody.
    @Test(arguments: ["engine", "events"]) func withoutABugNothingIsSeen(_ target: String) throws {
        let scratch = Scratch()
        let sighting = PlantedSighting(scenario: .kill, check: "", target: target, operationCount: 60)
        let result = try run(sighting, planted: "none", scratch)
        #expect(result.verdict == "pass", "\(result.reason ?? "")")
    }

    private func look(_ row: Row) throws {
        // Where a kill lands is for the scheduler to say.
        let attempts = row.sighting.scenario == .kill ? 3 : 1
        for attempt in 1...attempts {
            let scratch = Scratch()
            let result = try run(row.sighting, planted: row.bug.name, scratch)
            let finding = result.findings.first { $0.check == row.sighting.check }
            if finding == nil, attempt < attempts { continue }
            #expect(result.verdict == "violation", "\(result.reason ?? "")")
            let seen = try #require(finding, "\(result.findings.map(\.story))")
            guard row.sighting.scenario != .smoke else { return }
            // What only the live store showed is done again by a run of the same seed and rule.
            let directory = try #require(seen.case)
            guard FileManager.default.fileExists(atPath: directory + "/case.json") else {
                #expect(seen.replay?.contains("--rule") == true)
                return
            }
            let catalog = TargetCatalog(driver: Machine.driver)
            let replay = try Replay(directory: ByteString(try #require(seen.case)), targets: catalog)
            let outcome = try replay.run(scratch: try scratch.make("replay"))
            #expect(outcome.judgement.broken.map(\.rawValue).contains(seen.check))
            return
        }
    }

    private func run(_ sighting: PlantedSighting, planted: String, _ scratch: Scratch) throws -> RunResult {
        let target = try TargetCatalog(driver: Machine.driver).target(sighting.target)
            .configured([Setting(name: "planted", value: planted)])
        var request = RunRequest(
            target: target, scenario: sighting.scenario, profile: .posixMin, contract: target.contract,
            operationCount: sighting.operationCount, cycles: sighting.cycles)
        request.killTrigger = sighting.killAtAcknowledgement.map(KillTrigger.acknowledgement)
        request.rules = try sighting.rule.map { [try Rule(parsing: $0)] } ?? []
        return RunSession(parent: ByteString(scratch.url.path), program: "faultline").run(request)
    }
}

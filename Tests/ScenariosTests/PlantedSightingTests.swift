import Bytes
import Engine
import Foundation
import Interleavings
import Report
import Schedules
import Targets
import Testing

@testable import Matrices
@testable import Replay
@testable import Runs
@testable import Scenarios

/// Which scenario catches which planted bug: every row of the table is run, and its case replayed.
@Suite struct PlantedSightingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var bug: PlantedBug
        var sighting: PlantedSighting
        var testDescription: String { "\(bug.name) by \(sighting.scenario.rawValue)" }
    }

    private static let rows = PlantedBug.allCases.flatMap { bug in bug.sightings.map { Row(bug: bug, sighting: $0) } }

    private static let needingFUSE: Set<ScenarioName> = [.powerCut, .ioError]

    /// As its row says, and as its story stands in docs/planted-bugs.md.
    @Test(arguments: rows.filter { $0.sighting.scenario == .explore })
    func exploringFindsTheBugAndMakesItSmall(_ row: Row) throws {
        let scratch = Scratch()
        let targets = TargetCatalog(driver: TestMachine.driver)
        let session = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English())
        let result = session.run(try row.sighting.request(planting: row.bug.name, targets))
        #expect(result.verdict == .violation, "\(result.reason ?? ""), \(result.coverage ?? "")")
        let finding = try #require(
            result.findings.first { $0.check == row.sighting.check }, "\(result.findings.map(\.story))")
        #expect(finding.strongestProfile == .profile(row.sighting.exploring.strongest), "\(finding.story)")
        #expect(finding.lost.count == row.sighting.exploring.lostCount, "\(finding.story)")
        let (_, outcome) = try Replay.show(
            ByteString(try #require(finding.case)), scratch: try scratch.make("replay"), targets: targets,
            wording: English())
        #expect(outcome.judgement.broken.contains(row.sighting.check))
        #expect(outcome.account == finding.account)
        let section = PlantedPage.section(row.bug, result)
        #expect(
            try Self.page().contains(section),
            "faultline planted --page > docs/planted-bugs.md; it would say:\n\(section)")
    }

    /// The same exploring without the bug accuses nobody.
    @Test(arguments: Set(rows.filter { $0.sighting.scenario == .explore }.map(\.sighting.asked)))
    func exploringWithoutTheBugSeesNothing(_ sighting: PlantedSighting) throws {
        let scratch = Scratch()
        let session = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English())
        let result = session.run(
            try sighting.request(planting: "none", TargetCatalog(driver: TestMachine.driver)))
        #expect(result.verdict == .pass, "\(result.command): \(result.reason ?? "")")
    }

    /// The command that is printed asks for the very run that the table means, each option of it.
    @Test(
        .enabled(if: Faultline.path != nil),
        arguments: [
            PlantedBug.neverSync, .tailUncut, .tailRewritten, .numberReused, .rotationUnsynced, .windowTruncated,
        ])
    func thePrintedCommandFindsTheBug(_ bug: PlantedBug) throws {
        let scratch = Scratch()
        let sighting = try #require(bug.sightings.first)
        let command = sighting.command(planting: bug.name, program: "faultline")
        let answer = try Faultline.run(
            sighting.arguments(planting: bug.name) + ["--json", "--out", scratch.url.path])
        #expect(answer.status == 1, "\(command): \(answer.error)")
        let result = try JSONDecoder().decode(RunResult.self, from: Data(answer.output.utf8))
        #expect(result.findings.contains { $0.check == sighting.check }, "\(command)")
        let listed = try Faultline.run(["planted"])
        #expect(
            listed.status == 0
                && listed.output.contains(sighting.arguments(planting: bug.name)[0...4].joined(separator: " ")))
    }

    /// Every bug has its part of the page, in their order, and nothing else is there.
    @Test func thePageOfPlantedBugsIsWhole() throws {
        let page = try Self.page()
        let head = PlantedPage.head(PlantedBug.cells(of: try Self.defaultMatrix()))
        #expect(
            page.hasPrefix(head + "\n\n## "), "faultline planted --page > docs/planted-bugs.md; it would say:\n\(head)")
        let titles = page.split(separator: "\n").filter { $0.hasPrefix("## ") }.map { String($0.dropFirst(3)) }
        #expect(titles == PlantedBug.allCases.map(\.name))
        for bug in PlantedBug.allCases where bug.sightings.first?.scenario != .explore {
            var failure: ScheduleFailure?
            if let sighting = bug.scheduleSighting {
                let test = try #require(ScheduleTests.named(sighting.test))
                failure = try test.shortestFailure(ScheduleExplorer(), planting: bug)
                #expect(failure != nil)
            }
            #expect(page.contains(PlantedPage.section(bug, nil, schedule: failure)), "\(bug.name)")
        }
    }

    /// Each bug that a crash or a fault can show is planted in the matrix that runs when no file is named. What is left out
    /// takes two threads at one moment.
    @Test func theDefaultMatrixPlantsEveryBug() throws {
        let cells = PlantedBug.cells(of: try Self.defaultMatrix())
        let bugsOfThreads = PlantedBug.allCases.filter(\.sightings.isEmpty)
        let planted = Set(cells.values.joined())
        #expect(Set(PlantedBug.allCases).subtracting(planted) == Set(bugsOfThreads))
        #expect(
            bugsOfThreads == PlantedBug.allCases.filter { $0.scheduleSighting != nil || $0.leakedMeasure != nil })
        #expect(bugsOfThreads.count == 6)
    }

    private static func defaultMatrix() throws -> Matrix {
        let catalog = TargetCatalog(driver: TestMachine.driver)
        let defaults = MatrixFile.Defaults(seed: 1, profile: .ext4Ordered, operationCount: 100, cycles: nil)
        return try MatrixFile(catalog, defaults).matrix(DefaultMatrix.text, file: "default")
    }

    private static func page() throws -> String {
        let tree = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: tree.appending(path: "docs/planted-bugs.md"), encoding: .utf8)
    }

    private static let needingNothing: Set<ScenarioName> = [.smoke, .kill]

    @Test(arguments: rows.filter { needingNothing.contains($0.sighting.scenario) })
    func theScenarioCatchesTheBug(_ row: Row) throws { try look(row) }

    @Test(
        .enabled(if: TestMachine.hasFUSE, "needs /dev/fuse: power cuts and I/O errors are not tested here"),
        arguments: rows.filter { needingFUSE.contains($0.sighting.scenario) })
    func aMountCatchesTheBug(_ row: Row) throws { try look(row) }

    /// The same runs without the bug accuse nobody.
    @Test(arguments: ["engine", "events"]) func withoutABugNothingIsSeen(_ target: String) throws {
        let scratch = Scratch()
        let sighting = PlantedSighting(scenario: .kill, check: .opens, target: target, operationCount: 60)
        let result = try run(sighting, planted: "none", scratch)
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
    }

    private func look(_ row: Row) throws {
        // Where a kill lands is for the scheduler to say.
        let attempts = row.sighting.scenario == .kill ? 3 : 1
        for attempt in 1...attempts {
            let scratch = Scratch()
            let result = try run(row.sighting, planted: row.bug.name, scratch)
            let finding = result.findings.first { $0.check == row.sighting.check }
            if finding == nil, attempt < attempts { continue }
            #expect(result.verdict == .violation, "\(result.reason ?? "")")
            let seen = try #require(finding, "\(result.findings.map(\.story))")
            guard row.sighting.scenario != .smoke else { return }
            let catalog = TargetCatalog(driver: TestMachine.driver)
            let replay = try Replay(
                directory: ByteString(try #require(seen.case)), targets: catalog, wording: English())
            let directory = try RunDirectory(
                in: ByteString(scratch.url.path), target: "case", scenario: "replay", seed: 0)
            defer { try? directory.finish() }
            let outcome = try replay.run(
                scratch: try scratch.make("replay"), try RunContext(directory, wording: English()))
            #expect(outcome.judgement.broken.contains(seen.check))
            return
        }
    }

    private func run(_ sighting: PlantedSighting, planted: String, _ scratch: Scratch) throws -> RunResult {
        let request = try sighting.request(planting: planted, TargetCatalog(driver: TestMachine.driver))
        return RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(request)
    }
}

extension PlantedSighting {
    /// Without what is to be found.
    fileprivate var asked: PlantedSighting {
        var asked = self
        asked.check = .durable
        (asked.exploring.strongest, asked.exploring.lostCount) = (.strict, 0)
        return asked
    }
}

import ArgumentParser
import Bytes
import Engine
import Interleavings
import Machine
import Matrices
import Report
import Runs
import Scenarios
import Schedules
import Storage
import Targets

struct PlantedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "planted",
        abstract: "Lists the bugs that can be planted in the built-in stores, and the commands that find each.",
        discussion: """
              faultline planted                    every bug, and what finds it
              faultline planted tail-uncut         one of them, with the story that Faultline tells of it
              sudo faultline planted --confirm     which a real ext4, xfs and btrfs show, too, as a table

            docs/planted-bugs.md has the stories of all; --page writes it.
            """)

    @Argument(help: "A bug: it is explored, and its story told.")
    var name: String?

    @Flag(help: "Explore every bug and print the page docs/planted-bugs.md.")
    var page = false

    @Flag(
        help: """
            Look for each bug that a power cut shows below a real ext4, xfs and btrfs, too, for \(Self.confirmSeconds) s each \
            at most, and print a table (root; docs/real-filesystems.md).
            """)
    var confirm = false

    private static let confirmSeconds = 20

    func validate() throws {
        guard name == nil || !page, !(page && confirm) else { throw ValidationError("--page prints all of them") }
        if let name, PlantedBug(rawValue: name) == nil {
            throw ValidationError(
                "no bug is called \(name); they are: \(PlantedBug.allCases.map(\.name).joined(separator: ", "))")
        }
    }

    func run() throws {
        if confirm {
            let bugs = name.flatMap { PlantedBug(rawValue: $0) }.map { [$0] } ?? PlantedBug.allCases
            return StandardOutput.write(try Interruption.shared.awaiting { try confirmations(of: bugs) }.text)
        }
        if let bug = name.flatMap({ PlantedBug(rawValue: $0) }) {
            StandardOutput.write(try sections(of: [bug]).joined())
        } else if page {
            let defaults = MatrixFile.Defaults(seed: 1, profile: .ext4Ordered, operationCount: 100, cycles: nil)
            let matrix = try MatrixFile(try TargetCatalog.besideThisProgram(), defaults)
                .matrix(DefaultMatrix.text, file: "the default matrix")
            let head = PlantedPage.head(PlantedBug.cells(of: matrix))
            StandardOutput.write(head + "\n\n" + (try sections(of: PlantedBug.allCases).joined(separator: "\n")))
        } else {
            for bug in PlantedBug.allCases {
                StandardOutput.show("\(bug.name): \(bug.summary)")
                for sighting in bug.sightings {
                    let command = sighting.command(planting: bug.name, program: ProgramName.shown)
                    StandardOutput.show("    \(command)")
                }
                if let sighting = bug.scheduleSighting {
                    StandardOutput.show("    \(sighting.command(planting: bug, program: ProgramName.shown))")
                }
                if bug.leakedMeasure != nil {
                    StandardOutput.show("    \(bug.soakCommand(program: ProgramName.shown))")
                }
            }
        }
    }

    /// Looks below real filesystems for each of these bugs that a power cut alone shows.
    private func confirmations(of bugs: [PlantedBug]) throws -> PlantedConfirmations {
        try RunCommand.refuse(BlockScenario.name, needing: BlockScenario.needs)
        let doctor = Doctor(driver: DoctorCommand.driver())
        return try withSession { session, targets in
            var table = PlantedConfirmations(filesystems: Confirmer.defaultFilesystems)
            for bug in bugs {
                guard let sighting = bug.sightings.first, sighting.showsByPowerCut else { continue }
                let request = try sighting.request(planting: bug.name, targets)
                var result = session.run(request)
                Confirmer(
                    request, seconds: Self.confirmSeconds, in: session, obstacle: { doctor.obstacle(to: $0) }
                ).confirm(&result, progress: { _ in })
                guard !Interruption.shared.isInterrupted else { break }
                let finding = result.findings.first { $0.check == sighting.check }
                table.add(bug, sighting.check, finding?.confirmed ?? [])
                StandardError.say("\(bug.name): \((finding?.confirmed ?? []).map(\.words).joined(separator: "; "))")
            }
            return table
        }
    }

    /// Explores each bug that exploring or schedules find, and leaves nothing behind.
    private func sections(of bugs: [PlantedBug]) throws -> [String] {
        try withSession { session, targets in
            try bugs.map { bug in
                if let sighting = bug.scheduleSighting {
                    let test = ScheduleTests.named(sighting.test)
                    return PlantedPage.section(
                        bug, nil, schedule: try test?.shortestFailure(ScheduleExplorer(), planting: bug))
                }
                guard let sighting = bug.sightings.first, sighting.scenario == .explore else {
                    return PlantedPage.section(bug, nil)
                }
                return PlantedPage.section(bug, session.run(try sighting.request(planting: bug.name, targets)))
            }
        }
    }

    /// Lets `body` make runs that are removed afterwards.
    private func withSession<Output>(_ body: (RunSession, TargetCatalog) throws -> Output) throws -> Output {
        let targets = try TargetCatalog.besideThisProgram()
        let run = try RunDirectory(
            in: RunDirectory.parent(option: nil), target: "planted", scenario: "explore", seed: 0)
        let output = Result {
            try body(
                RunSession(parent: try run.makeScratch(), program: ProgramName.shown, wording: English()), targets)
        }
        try run.finish()
        try TreeRemoval.remove(run.path)
        return try output.get()
    }
}

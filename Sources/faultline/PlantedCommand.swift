import ArgumentParser
import Bytes
import Engine
import Interleavings
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

            docs/planted-bugs.md has the stories of all; --page writes it.
            """)

    @Argument(help: "A bug: it is explored, and its story told.")
    var name: String?

    @Flag(help: "Explore every bug and print the page docs/planted-bugs.md.")
    var page = false

    func validate() throws {
        guard name == nil || !page else { throw ValidationError("--page prints all of them") }
        if let name, PlantedBug(rawValue: name) == nil {
            throw ValidationError(
                "no bug is called \(name); they are: \(PlantedBug.allCases.map(\.name).joined(separator: ", "))")
        }
    }

    func run() throws {
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

    /// Explores each bug that exploring or schedules find, and leaves nothing behind.
    private func sections(of bugs: [PlantedBug]) throws -> [String] {
        let targets = try TargetCatalog.besideThisProgram()
        let run = try RunDirectory(
            in: RunDirectory.parent(option: nil), target: "planted", scenario: "explore", seed: 0)
        let sections = Result {
            let session = RunSession(parent: try run.makeScratch(), program: ProgramName.shown, wording: English())
            return try bugs.map { bug in
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
        try run.finish()
        try TreeRemoval.remove(run.path)
        return try sections.get()
    }
}

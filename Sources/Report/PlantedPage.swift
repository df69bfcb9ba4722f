import Engine
import Interleavings
import Matrices
import Runs
import Scenarios
import Schedules

/// The page about the planted bugs: for each its defect, the commands that find it, and the story that `explore` prints.
package enum PlantedPage {
    /// - Parameter cells: by scenario, the planted bugs that the default matrix expects to find.
    package static func head(_ cells: [ScenarioName: [PlantedBug]]) -> String {
        let shown = cells.sorted { ($1.value.count, $0.key.rawValue) < ($0.value.count, $1.key.rawValue) }.map {
            scenario, bugs in
            let few = bugs.map { "`\($0.name)`" }.joined(separator: ", ")
            return "- by `\(scenario.rawValue)`: " + (bugs.count > 5 ? "\(bugs.count) of them" : few)
        }
        return """
            # The planted bugs and how Faultline reports them

            A planted bug is a deliberate defect of the built-in engine. A parameter of the targets `engine` and `events` plants one at
            a time; a store that a user opens never has one. Each section shows the command that finds the bug and the output: the
            crash point, the lost changes, and the violated guarantee. A test repeats every run, compares the output, and checks that
            the minimized crash is no larger than here. This command generates the page:

                faultline planted --page > docs/planted-bugs.md

            The default matrix (`faultline matrix`, its cells in harness/matrices/default.yaml) plants every bug that needs neither two
            threads nor a long time, and finds

            \(shown.joined(separator: "\n"))

            Those that need two threads are found by `faultline schedules`, which explores every interleaving of a few threads
            ([schedules.md](schedules.md)); their sections show the shortest schedule. Leaks are found by
            `faultline soak` ([soak.md](soak.md)), in less than five minutes.

            The two targets report some violations as a key that was never written: `(incomplete batch)`, an event that was `taken twice`
            or, after recovery, `taken again`, or an event that is `replayed although checkpointed`.

            [exploring.md](exploring.md) explains the marks, and [engine.md](engine.md) the names.
            """
    }

    /// The part about one bug.
    ///
    /// - Parameters:
    ///   - result: what the first of its sightings found, if that explores.
    ///   - failure: the shortest schedule that shows the bug, if it needs two threads.
    package static func section(
        _ bug: PlantedBug, _ result: RunResult?, schedule failure: ScheduleFailure? = nil
    ) -> String {
        var lines = ["## " + bug.name, "", capitalised(bug.summary) + ".", ""]
        let sightings = bug.sightings
        if let result, let first = sightings.first {
            lines += command(first, bug) + [""]
            if let finding = result.findings.first(where: { $0.check == first.check }), let account = finding.account {
                lines.append(indented("\(finding.check.rawValue): \(account.headline)"))
                lines += StoryReport(account).lines(for: .plain, indent: 6).map(\.text)
                lines += [indented("  strongest profile that shows it: \(finding.strongestProfile)"), ""]
            }
        }
        let others = sightings.dropFirst(result == nil ? 0 : 1)
        if let sighting = bug.scheduleSighting {
            lines += [indented(sighting.command(planting: bug, program: "faultline")), ""]
            if let failure {
                lines += [indented("\(failure.kind)")]
                lines += SchedulesReport.lines(of: failure.rows, for: .plain).map { indented("  " + $0.text) }
                lines += [indented("  schedule: \(failure.schedule)"), ""]
            }
        } else if bug.leakedMeasure != nil {
            lines += [indented(bug.soakCommand(program: "faultline")), ""]
        } else if !others.isEmpty {
            lines += [result == nil ? "Found by" : "Also found by", ""]
            lines += others.flatMap { command($0, bug) } + [""]
        }
        return lines.dropLast().map { trimmed($0) + "\n" }.joined()
    }

    /// The command, wrapped so that it can be pasted.
    private static func command(_ sighting: PlantedSighting, _ bug: PlantedBug) -> [String] {
        var lines = [""]
        for part in sighting.command(planting: bug.name, program: "faultline").split(separator: " --") {
            let words = lines == [""] ? String(part) : " --" + part
            if lines[lines.count - 1].count + words.count > 110 {
                lines[lines.count - 1] += " \\"
                lines.append("   ")
            }
            lines[lines.count - 1] += words
        }
        return lines.map(indented)
    }

    private static func indented(_ line: String) -> String { "    " + line }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }

    private static func capitalised(_ sentence: String) -> String {
        sentence.prefix(1).uppercased() + sentence.dropFirst()
    }
}

import Block
import Litmus
import Oracle
import Scenarios

/// The observed outcomes of litmus scripts on filesystems, compared with what their profiles allow.
package struct LitmusReport: ReportSubject {
    private let kernel: String
    private let scripts: [LitmusScript]
    private let filesystems: [BlockFilesystem]
    private let observations: [LitmusObservation]
    package let verdict: Verdict
    package let notes: [String]

    private enum CodingKeys: String, CodingKey { case verdict, kernel, observations, notes }

    /// - Parameter notes: what was left out, one a line.
    package init(
        _ observations: [LitmusObservation], of scripts: [LitmusScript], on filesystems: [BlockFilesystem],
        kernel: String, notes: [String]
    ) {
        (self.observations, self.scripts, self.filesystems) = (observations, scripts, filesystems)
        (self.kernel, self.notes) = (kernel, notes)
        verdict =
            observations.contains { !$0.forbidden.isEmpty }
            ? .violation
            : !notes.isEmpty ? .inconclusive : observations.contains { !$0.broken.isEmpty } ? .filesystem : .pass
    }

    package var entries: [ReportEntry] {
        observations.map { observation in
            var entry = ReportEntry(
                "litmus", "\(observation.script), \(observation.filesystem.rawValue)",
                passing: !observation.forbidden.isEmpty ? .violation : observation.broken.isEmpty ? .pass : .filesystem,
                stories: forbidden(observation) + broken(observation), account: "")
            entry.states = observation.imageCount
            return entry
        }
    }

    package func text(for terminal: Terminal) -> String {
        var lines: [ReportLine] = []
        if scripts.count == 1 { lines += outcomes } else { lines += table.map { ReportLine($0) } }
        let all = observations.reduce(0) { $0 + $1.epochs }
        let exhaustive = observations.reduce(0) { $0 + $1.exhaustedEpochs }
        lines.append("")
        lines.append(
            ReportLine(
                "\(observations.reduce(0) { $0 + $1.imageCount }) distinct images mounted on Linux \(kernel); every "
                    + "state of \(exhaustive) of \(all) epochs of the devices"
            ))
        for observation in observations {
            for line in forbidden(observation) {
                lines.append(Style.bad.shown("FORBIDDEN", on: terminal) + "  \(line)")
            }
            for line in broken(observation) { lines.append(Style.doubtful.shown("BROKEN", on: terminal) + "  \(line)") }
        }
        lines += notes.map { ReportLine($0) }
        return lines.text
    }

    // MARK: - Many scripts

    /// A Markdown table, which docs/crash-model.md has.
    private var table: [String] {
        var lines = [
            row("seen/allowed (images)", filesystems.map(\.rawValue)), row("---", filesystems.map { _ in "---" }),
        ]
        for script in scripts {
            let cells = filesystems.map { filesystem -> String in
                guard let found = observations.first(where: { $0.script == script.name && $0.filesystem == filesystem })
                else { return "–" }
                return "\(found.seen.count)/\(found.allowedCount.map(String.init) ?? "?") (\(found.imageCount))"
            }
            lines.append(row(script.name, cells))
        }
        return lines
    }

    private func row(_ name: String, _ cells: [String]) -> String { "| \(([name] + cells).joined(separator: " | ")) |" }

    // MARK: - One script

    private var outcomes: [ReportLine] {
        observations.flatMap { observation -> [ReportLine] in
            let allowed = observation.allowedCount.map { ", of \($0) that its profile allows" } ?? ""
            let heading =
                "\(observation.filesystem.rawValue): \(observation.seen.count.counted("tree")) seen\(allowed), "
                + "in \(observation.imageCount.counted("distinct image"))"
            return [ReportLine(heading)]
                + observation.seen.map { ReportLine("  \($0.outcome)    (\($0.imageCount.counted("image")))") }
        }
    }

    // MARK: - What should not be

    private func forbidden(_ observation: LitmusObservation) -> [String] {
        observation.forbidden.map { forbidden in
            let profile = observation.filesystem.profile.map(\.rawValue) ?? ""
            let place = "\(observation.script) on \(observation.filesystem.rawValue), \(moment(forbidden, observation))"
            return "\(place): seen, and \(profile) does not allow it: \(forbidden.outcome)"
        }
    }

    private func moment(_ forbidden: LitmusObservation.Forbidden, _ observation: LitmusObservation) -> String {
        let steps = scripts.first { $0.name == observation.script }?.run ?? []
        let step = forbidden.step - 1
        let words = steps.indices.contains(step) ? steps[step].words.joined(separator: " ") : ""
        let place = "\(forbidden.isStepOver ? "after" : "during") step \(forbidden.step) (\(words))"
        return "\(place), \(forbidden.aftermath.rawValue), event \(forbidden.event)"
    }

    private func broken(_ observation: LitmusObservation) -> [String] {
        observation.broken.map { "\(observation.script) on \(observation.filesystem.rawValue): \($0)" }
    }
}

import Scenarios

/// The scenarios with their options, for people, for programs and for docs/scenarios.md: all from their declarations.
package struct ScenarioReport: Encodable {
    private struct Option: Encodable {
        var option: String
        /// The key of a matrix; nil for an option of the command line alone.
        var key: String?
        /// The placeholder of its value; nil for a flag.
        var value: String?
        var repeats: Bool
        var `default`: String?
        var help: String
    }

    package let name: String
    private let summary: String
    private let needsFUSE: Bool
    private let options: [Option]

    private enum CodingKeys: String, CodingKey { case name, summary, needsFUSE, options }

    package init(_ scenario: any Scenario.Type) {
        name = scenario.name.rawValue
        summary = scenario.summary
        needsFUSE = scenario.needs.contains(.fuse)
        options = scenario.declarations.filter { !$0.isObsolete }.map { option in
            Option(
                option: OptionPlace.commandLine.spelling(of: option.name),
                key: option.places.contains(.matrix) ? OptionPlace.matrix.spelling(of: option.name) : nil,
                value: option.valueName, repeats: option.kind == .texts, default: option.defaultText, help: option.help)
        }
    }

    /// The scenario and each of its options, explained.
    package func text(for terminal: Terminal) -> String {
        var lines: [ReportLine] = [Style.heading.shown(name, on: terminal) + "  \(summary)"]
        for option in options {
            let value = option.value.map { " <\($0)>" } ?? ""
            let usual = option.default.map { " (default: \($0))" } ?? ""
            lines.append("  \(option.option)\(value)")
            lines += StoryReport.wrapped("", option.help + usual, "      ")
        }
        return lines.text
    }

    /// The scenarios, a line each.
    package static func list(for terminal: Terminal) -> String {
        var table = Table([.init("scenario"), .init("what it does"), .init("options")])
        for report in ScenarioList.all.map({ ScenarioReport($0) }) {
            table.add([
                .init(report.name), .init(report.summary), .init(report.options.map(\.option).joined(separator: " ")),
            ])
        }
        return table.text(for: terminal)
    }

    // MARK: - docs/scenarios.md

    /// The page docs/scenarios.md.
    package static var page: String {
        pageHead + ScenarioList.all.map { ScenarioReport($0).section }.joined()
    }

    private static let pageHead = """
        # Scenarios and their options

        A scenario is a way to fail a store. `faultline run TARGET --scenario NAME` runs one; `faultline explore TARGET` is the
        scenario `explore`. In a [matrix](matrix.md) the same options are keys of a cell: an option belongs to its scenarios, and a
        cell of another scenario that has it is refused. This page is made from the declarations in the code by

            faultline scenarios --page > docs/scenarios.md

        and a test compares it. `explore` needs no FUSE for `engine` and `events`, which it runs inside Faultline. What each scenario does in detail: [power-cuts.md](power-cuts.md), [io-errors.md](io-errors.md),
        [exploring.md](exploring.md).

        """

    private var section: String {
        var lines = ["", "## \(name)", "", summary.prefix(1).uppercased() + summary.dropFirst() + "."]
        if needsFUSE { lines[lines.count - 1] += " Needs FUSE." }
        guard !options.isEmpty else { return (lines + ["", "It has no options.", ""]).joined(separator: "\n") }
        lines += ["", "| option | matrix key | default | what it does |", "|---|---|---|---|"]
        for option in options {
            let value = option.value.map { " \($0.uppercased())" } ?? ""
            let cells = [
                "`\(option.option)\(value)`", option.key.map { "`\($0)`" } ?? "", option.default ?? "",
                option.help.replacing("|", with: "\\|"),
            ]
            lines.append("| \(cells.joined(separator: " | ")) |")
        }
        return (lines + [""]).joined(separator: "\n")
    }
}

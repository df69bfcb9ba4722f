import ArgumentParser
import Bytes
import Report
import Targets

struct TargetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets", abstract: "Lists the targets, or checks and explains one.",
        discussion: """
            Without an argument: the targets that come with Faultline, what each promises, and what can be set. With a \
            name or the path of a manifest: that target, its manifest checked, with the commands that would be run. That their \
            programs and scripts exist is checked, too; nothing is run.

              faultline targets ./my-store.yaml
              faultline targets new my-store --lang python     a driver and a manifest to fill in

            docs/targets.md leads from nothing to a manifest.
            """,
        subcommands: [Show.self, New.self], defaultSubcommand: Show.self)

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the targets, or checks and explains one. `show` may be left out.")

        @Argument(help: "A target's name, or the path of a manifest.")
        var target: String?

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let catalog = try TargetCatalog.besideThisProgram()
            if let target {
                let target = try catalog.target(target)
                try target.checkCommands()
                let report = TargetReport(target)
                if json { try StandardOutput.show(report, .object) } else { StandardOutput.show(report.lines) }
                return
            }
            if json { return try StandardOutput.show(["targets": catalog.builtIn.map(TargetReport.init)], .object) }
            var table = Table([.init("target"), .init("promise"), .init("what it is")])
            for target in catalog.builtIn {
                table.add([.init(target.name), .init(target.contract.name), .init(target.description)])
            }
            StandardOutput.write(table.text(for: .output) + "\n")
            for target in catalog.builtIn {
                StandardOutput.show("\(target.name): \(target.source)")
                for parameter in target.parameters {
                    StandardOutput.show("  --set \(parameter.name)=\(parameter.values.joined(separator: "|"))")
                }
            }
        }
    }
}

import ArgumentParser
import Bytes
import Report
import Targets

struct TargetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets", abstract: "Lists the targets, or checks and explains one.",
        discussion: """
            Without an argument: the targets that come with Faultline, what each promises, and what can be set. With a \
            name or the path of a manifest: that target, its manifest checked, with the commands that would be run.

              faultline targets ./my-store.yaml

            docs/targets.md leads from nothing to a manifest.
            """)

    @Argument(help: "A target's name, or the path of a manifest.")
    var target: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let catalog = try TargetCatalog.besideThisProgram()
        if let target {
            let target = try catalog.target(target)
            if json { try JSONOutput.printObject(TargetReport(target)) } else { print(TargetReport(target).text) }
            return
        }
        if json { return try JSONOutput.printObject(["targets": catalog.builtIn.map(TargetReport.init)]) }
        var table = Table([.init("target"), .init("promise"), .init("what it is")])
        for target in catalog.builtIn {
            table.add([.init(target.name), .init(target.contract.name), .init(target.description)])
        }
        print(table.text(for: .output))
        for target in catalog.builtIn {
            print("\(target.name): \(target.source)")
            for parameter in target.parameters {
                print("  --set \(parameter.name)=\(parameter.values.joined(separator: "|"))")
            }
        }
    }
}

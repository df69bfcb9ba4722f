import ArgumentParser
import Report
import Targets

struct TargetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets", abstract: "Lists the targets, what can be set, and what each promises.")

    func run() throws {
        var table = Table([.init("target"), .init("promise"), .init("what it is")])
        let targets = try BuiltInTargets.besideThisProgram().all
        for target in targets {
            table.add([.init(target.name), .init(target.contract.name), .init(target.description)])
        }
        print(table.text(for: .output))
        for target in targets {
            print("\(target.name): \(target.source)")
            for parameter in target.parameters {
                print("  --set \(parameter.name)=\(parameter.values.joined(separator: "|"))")
            }
        }
    }
}

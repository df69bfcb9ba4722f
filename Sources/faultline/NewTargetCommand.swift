import ArgumentParser
import Bytes
import Machine
import Report
import Storage
import Targets

extension NewTarget.Language: ExpressibleByArgument {}

extension TargetsCommand {
    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes a driver and a manifest for a store of yours, to fill in.",
            discussion: """
                  faultline targets new my-store --lang python
                  cd my-store && faultline run ./my-store.yaml --scenario smoke

                Makes a directory with a driver, the library that speaks Faultline's protocol for it, and a manifest. As they \
                stand they test an example store, which passes; put the calls of your store into the driver. docs/targets.md
                """)

        @Argument(help: "The target's name: a-z, 0-9, - and _.")
        var name: String

        @Option(help: "The language of the driver.")
        var lang = NewTarget.Language.python

        @Option(name: .shortAndLong, help: "The directory to make; it must not be there yet (default: the name).")
        var output: ByteString?

        func run() throws {
            let target = try NewTarget(name, lang)
            let directory = output ?? ByteString(name)
            try OutputDirectory.make(directory, permissions: 0o777) { place in
                for file in target.files {
                    let output = try OutputFile(
                        place.appending(component: file.name), .replace,
                        permissions: file.isExecutable ? 0o777 : 0o666)
                    try output.write(file.bytes)
                    try output.commit()
                }
            }
            let driver = target.files[1].name
            let manifest = "./\(target.manifestName)"
            let commands =
                ["cd \(ReproduceScript.quoted("\(directory)"))"] + [target.build].compactMap(\.self) + [
                    "\(ProgramName.shown) run \(manifest) --scenario smoke", "\(ProgramName.shown) explore \(manifest)",
                ]
            StandardOutput.show(
                ["\(directory): \(target.files.map { "\($0.name)" }.joined(separator: ", "))"]
                    + ["As they stand they test an example store, which passes:"] + commands.map { "    \($0)" }
                    + ["Then put the calls of your store into \(driver). docs/targets.md explains each line."])
        }
    }
}

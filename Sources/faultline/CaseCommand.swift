import ArgumentParser
import Bytes
import Machine
import Report
import Runs
import Scenarios

/// Cases as single files. One type a subcommand.
struct CaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "case",
        abstract: "Makes a case into one file for a bug report, and such a file into a case.",
        subcommands: [Export.self, Import.self])

    /// The command that replays the case at `path`, and a note on its target.
    private static func next(_ path: ByteString, _ record: CaseRecord) throws -> [ReportLine] {
        let place = record.manifestPath.map { ["--target", $0] } ?? []
        let words = [ProgramName.shown, "replay", "\(try ArgumentPath.new(path))"] + place
        let command = words.map { ReproduceScript.quoted($0) }.joined(separator: " ")
        guard record.manifest != nil else { return ["show it again with: \(command)"] }
        guard place.isEmpty else {
            return [
                "show it again with: \(command)",
                "elsewhere the target \(record.target) has to be named by its manifest there, with --target",
            ]
        }
        return [
            "show it again with: \(command) --trust",
            "which runs what its \(CaseRecord.manifestName) says: read that first, or name the manifest of the target "
                + "\(record.target) where it lies, with --target, and not --trust",
        ]
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes a case as one archive that names no machine.",
            discussion: """
                  faultline case export RUN/cases/1 -o case.tar
                  faultline replay case.tar

                The archive holds the trace up to the crash, the oracle and what the replay needs; the crash image is \
                derived from them again. A case that holds this machine's name or a path of it is refused.
                """)

        @Argument(help: "The case's directory: RUN/cases/N.")
        var directory: ByteString

        @Option(name: .shortAndLong, help: "The archive to write; it must not be there yet.")
        var output: ByteString

        @Flag(help: "Export it even if it names this machine or a place on it.")
        var anyway = false

        func run() throws {
            try CaseArchive.write(directory, to: output, namesMachine: anyway)
            StandardOutput.show("\(output): \(CaseArchive.size(of: output).counted("byte"))")
            StandardOutput.show(try CaseCommand.next(output, CaseRecord(directory: directory)))
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes an archive into a case's directory, with its crash image.",
            discussion: """
                Nothing of it is run. Links that lead out of the image are left out of it, and listed in image.links \
                (docs/sandbox.md).
                """)

        @Argument(help: "The archive.")
        var file: ByteString

        @Option(name: .shortAndLong, help: "The directory to make; it must not be there yet.")
        var output: ByteString

        func run() throws {
            let links = try CaseArchive.unpackWithImage(file, into: output)
            StandardOutput.show("\(output): unpacked; nothing of it was run")
            for link in links {
                StandardOutput.show("left out of its image, since it leads out of it: the link \(link)")
            }
            StandardOutput.show(try CaseCommand.next(output, CaseRecord(directory: output)))
        }
    }
}

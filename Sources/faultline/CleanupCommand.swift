import ArgumentParser
import Bytes
import Machine
import Report
import Runs
import Scenarios

struct CleanupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Takes away what killed runs left behind: processes, mounts and scratch directories.",
        discussion: """
            Something is touched only if it is Faultline's (by its name and record, its filesystem type or its mark), \
            belongs to you, and its owner is dead: nobody holds the lock on the record, nobody serves the mount, the \
            process that started it is gone. What lives in another namespace or container is left alone. Everything \
            that is left alone or resists is named once, with the reason. Run directories are results and stay. Calling \
            it twice does nothing more than calling it once. docs/cleanup.md has the details.
            """)

    @Option(help: "Also look at the runs, and at what a benchmark left, in this directory.")
    var out: ByteString?

    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false

    func run() throws {
        var parents = [RunDirectory.parent(option: nil)]
        // Do not scan a directory twice under two paths: the second scan would find it locked by the first.
        if let out, (try? ArgumentPath.existing(out)) != (try? ArgumentPath.existing(parents[0])) {
            parents.append(out)
        }
        // Benchmarks work in the directory that they measure, by default the current one.
        let measured = try [".", out].compactMap { try $0.map { try ArgumentPath.existing($0) } }
        let scratch = ScratchSpace.possibleParents()
        var cleanup = Cleanup(
            runParents: parents, scratchParents: scratch + measured.filter { !scratch.contains($0) }, isDryRun: dryRun)
        let actions = cleanup.run()
        StandardOutput.write(CleanupReport(actions, isDryRun: dryRun).text(for: .output))
        if actions.contains(where: \.isFailure) { throw ExitStatus.error }
    }
}

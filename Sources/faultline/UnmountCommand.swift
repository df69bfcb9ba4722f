import ArgumentParser
import Bytes
import Machine
import Runs
import Scenarios

struct UnmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmount",
        abstract: "Ends a mount that `faultline mount` made.",
        discussion: """
              faultline unmount /tmp/mnt

            Everything that was written is in the backing directory when this command returns, or the state that the \
            crash left if the power was cut; the trace is whole. Files that are still open after a second fail from \
            then on. A mount whose process was killed is taken away too.
            """)

    @Argument(help: "The mount point.")
    var mountPoint: ByteString

    @Option(help: "How long to wait for the process that serves it, such as 90s or 10m (default: 60s).")
    var patience: TimeSpan?

    func run() throws {
        let outcome = try MountEnding.end(
            try ArgumentPath.ofMount(mountPoint), timeLimitSeconds: patience?.seconds ?? 60)
        if outcome == .wasAbandoned {
            StandardError.say(
                "faultline: the process that served \(mountPoint) had been killed; the mount is taken away. "
                    + "The backing directory holds what had been written; `faultline cleanup` or the next mount of it "
                    + "removes the .faultline that was left there")
        }
    }
}

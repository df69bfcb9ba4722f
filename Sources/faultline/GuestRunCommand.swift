import ArgumentParser
import Bytes
import Guest
import Machine
import Report
import Runs
import Scenarios
import Storage

extension GuestMachine.Accelerator: ExpressibleByArgument {}

struct GuestRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a command as root in the guest, and ends with its exit status.",
        discussion: """
              faultline guest run -- uname -a
              faultline guest run -- scripts/power_loss_dm_flakey.sh
              faultline guest run --bring /tmp/runs -- faultline run engine --scenario flakey --out /tmp/runs

            The command finds this machine's programs and files by the same paths, and the directory in which you are. It \
            reads them with your permissions, and cannot change them: what it writes is in the guest's memory, and gone \
            with it, except for what --bring names. There is no network. Output and errors are passed on as they come.

            If the guest panics, hangs or is turned off, the end of its console is printed, and the exit code is 2.
            """)

    @OptionGroup var options: GuestOptions

    @Option(
        help: ArgumentHelp(
            "A path in the guest to copy out at the end, if it is there. May be repeated.", valueName: "path"))
    var bring: [ByteString] = []

    @Option(help: "The directory for copies of --bring; a name that is there already is an error.")
    var out: ByteString = "."

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after `--`.")
    var command: [ByteString] = []

    func validate() throws {
        guard !command.isEmpty else {
            throw ValidationError("give a command after `--`: faultline guest run -- uname -a")
        }
    }

    func run() throws {
        let machine = try options.configuration.machine()
        var task = GuestTask(command, in: try ArgumentPath.existing("."))
        task.bring = bring
        let directory = try ArgumentPath.existing(out)
        try refuseExisting(in: directory)
        try GuestForwarding.run(task, on: machine) { try keep($0.brought, in: directory) }
    }

    /// Throws if a copy would have the name of something that is there: better now than after the command.
    private func refuseExisting(in directory: ByteString) throws {
        for path in bring {
            guard let name = path.bytes.split(separator: UInt8(ascii: "/")).last else { continue }
            let copy = directory.appending(component: ByteString(name))
            guard !RunFiles.exists(copy) else { throw ValidationError("--bring \(path): \(copy) is there already") }
        }
    }

    /// Copies what was brought, each under its name.
    private func keep(_ brought: ByteString, in directory: ByteString) throws {
        for name in (TreeListing.names(in: brought) ?? []).sorted() {
            let (from, to) = (brought.appending(component: name), directory.appending(component: name))
            if from.isDirectory {
                try TreeCopy.copy(from, to: to)
            } else {
                try OutputFile.create(to, try RunFiles.read(from, followingLinks: false), permissions: 0o644)
            }
        }
    }
}

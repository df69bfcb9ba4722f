import ArgumentParser
import Bytes
import Guest
import Machine
import Report
import Runs
import Scenarios
import Storage

/// Runs one command in a guest, and passes on what it prints.
enum GuestForwarding {
    /// - Parameter keep: sees what the command has brought.
    static func run(
        _ task: GuestTask, on machine: GuestMachine, _ keep: (GuestOutcome) throws -> Void = { _ in }
    ) throws -> Never {
        let (output, errors) = (try OutputFile("-", .replace), try OutputFile("/dev/stderr", .replace))
        let outcome = try Interruption.shared.awaiting {
            let scratch = try ScratchDirectory()
            defer { try? scratch.remove() }
            let place = scratch.path.appending(component: "guest")
            try RunFiles.makeDirectory(place)
            let outcome = try machine.run(task, in: place, shouldStop: { Interruption.shared.isInterrupted }) {
                // A reader that has gone away does not stop the command.
                try? ($0 == .output ? output : errors).write($1)
            }
            try keep(outcome)
            return outcome
        }
        Interruption.shared.waitIfInterrupted()
        if let line = outcome.outOfMemory {
            StandardError.say("faultline: the guest ran out of memory (--guest-memory gives it more): \(line)")
        }
        guard case .exited(let status) = outcome.ending else {
            StandardError.say("faultline: \(outcome.ending)")
            if !outcome.console.isEmpty { StandardError.say("the end of its console:") }
            for line in outcome.console { StandardError.say("  \(line)") }
            throw ExitStatus.error
        }
        ExitStatus.exit(passingOn: status)
    }

    /// Runs this command line again, in a guest.
    static func again(on machine: GuestMachine) throws -> Never {
        let words = CommandLine.arguments.dropFirst().map { ByteString($0) }
        let program = try GuestTask.program()
        // The variable says `host` in the guest, and the last of an option counts.
        try run(GuestTask([program] + words + ["--machine", "host"], in: try ArgumentPath.existing(".")), on: machine)
    }
}

import Bytes

/// How a guest ended, and what it said on its console.
package struct GuestOutcome: Hashable, Sendable {
    package enum Ending: Hashable, Sendable {
        /// The command ended with this status; above 128 with a signal, as a shell tells it.
        case exited(status: Int32)
        /// The guest's kernel gave up.
        case panicked(line: String)
        /// It was turned off before the command had ended.
        case turnedOff
        /// It did not come up in this time, and was killed.
        case notBooted(seconds: Int)
        /// The command had not ended in this time, and the guest was killed.
        case timedOut(seconds: Int)
        /// It was killed on request.
        case stopped
    }

    package var ending: Ending
    /// The last lines of its console.
    package var console: [String]
    /// The kernel's line about a process that it killed for want of memory; nil if there was none.
    package var outOfMemory: String?
    /// From the start of QEMU until it was up; nil if it did not come up, or had run another task before.
    package var bootSeconds: Double?
    package var seconds: Double
    /// The release of its kernel.
    package var kernel: String
    package var accelerator: GuestMachine.Accelerator
    /// The copies of `GuestTask.bring`, by their last names. It may be missing. Its content comes from the guest: links in
    /// it may lead anywhere.
    package var brought: ByteString = ""
}

extension GuestOutcome.Ending: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exited(let status): "the command exited with \(status)"
        case .panicked(let line): "the guest's kernel panicked: \(line)"
        case .turnedOff: "the guest was turned off before the command had ended"
        case .notBooted(let seconds): "the guest did not come up within \(seconds) s, and was killed"
        case .timedOut(let seconds): "the guest had not ended its command after \(seconds) s, and was killed"
        case .stopped: "interrupted"
        }
    }
}

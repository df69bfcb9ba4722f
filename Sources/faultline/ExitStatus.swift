import CPlatform
import Foundation
import Machine
import Scenarios
import Storage

/// The exit codes of the process. No other code has the numbers.
enum ExitStatus: Int32, Error {
    case pass = 0
    /// The store broke its contract. Of `trace diff`: the traces differ.
    case violation = 1
    /// Wrong usage, a setup that does not work, or an error of the harness.
    case error = 2
    /// Inconclusive: no fault fired, no kill landed, or every cell was skipped.
    case inconclusive = 3

    /// Ends the process. Unwritten output turns the status into an error.
    func exit() -> Never { Self.exit(passingOn: rawValue) }

    /// Ends the process with the status of another program, which ran in its place. Unwritten output turns it into an
    /// error.
    static func exit(passingOn status: Int32) -> Never {
        let failure = faultline_flush_standard_output()
        guard failure == 0 else {
            StandardError.say("error: \(OutputError("-", .system(errno: -failure)))")
            Foundation.exit(ExitStatus.error.rawValue)
        }
        Foundation.exit(status)
    }
}

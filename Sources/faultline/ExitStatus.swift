import CPlatform
import Foundation
import Machine
import Scenarios
import Storage

/// What the process's exit code says. The only place that knows the numbers.
enum ExitStatus: Int32, Error {
    case pass = 0
    /// The store broke its contract. Of `trace diff`: the traces differ.
    case violation = 1
    /// Wrong usage, a setup that does not work, or an error of the harness.
    case error = 2
    /// Nothing was shown: the fault never fired, the kill never landed, every cell was skipped.
    case inconclusive = 3

    /// Ends the process. Output that could not be written is an error: a result that nobody got is none.
    func exit() -> Never {
        let failure = faultline_flush_standard_output()
        guard failure == 0 else {
            StandardError.say("error: \(OutputError("-", .system(errno: -failure)))")
            Foundation.exit(ExitStatus.error.rawValue)
        }
        Foundation.exit(rawValue)
    }
}

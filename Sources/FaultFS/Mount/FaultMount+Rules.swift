import Glibc
import Model
import Platform

/// Direct control for the serving process. Other processes use `.faultline`.
extension FaultMount {
    /// Whether the power is off.
    package var isFrozen: Bool { recorder.isFrozen }

    /// Why the power is off; nil while it is on.
    package var freezeReason: FreezeReason? { recorder.freezeReason }

    /// How often each rule matched and fired so far.
    package var ruleStatus: [RuleSet.Status] { faults.ruleStatus }

    /// Removes all rules and ends all current delays.
    package func clearRules() { faults.removeAll() }

    /// Ends all current delays; the rules stay.
    package func endDelays() { faults.delays.endAll() }

    /// Why the oracle rejected a line most recently; nil when it never did.
    package var oracleRejection: String? { rejectedWrites.reason(OracleFile.rejected) }

    /// The number of events in the trace.
    package var eventCount: Int { recorder.recorded.events }

    /// Appends complete lines to the oracle and the trace, like a write to `.faultline/oracle`.
    package func appendToOracle(_ lines: [UInt8]) throws(MountError) {
        guard let oracle else { throw .notMounted(mountPoint) }
        let failure: Errno? = lines.withUnsafeBytes { bytes in
            do throws(Errno) {
                let count = try oracle.open(flags: O_WRONLY).write(bytes)
                return count == bytes.count ? nil : Errno(EIO)
            } catch {
                return error
            }
        }
        if let failure { throw .system(call: "write", path: ".faultline/oracle", errno: failure.code) }
    }
}

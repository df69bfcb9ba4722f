import Glibc
import Model

/// What the process that serves a mount may do with it directly, where another would use `.faultline`.
extension FaultMount {
    /// Whether the power is gone.
    package var isFrozen: Bool { recorder.isFrozen }

    /// Why the power is gone; nil while it is not.
    package var freezeReason: FreezeReason? { recorder.freezeReason }

    /// What each rule has matched and fired so far.
    package var ruleStatus: [RuleSet.Status] { faults.ruleStatus }

    /// The faults are over: no rule is left.
    package func clearRules() { faults.removeAll() }

    /// Ends the delays under way; the rules stay.
    package func endDelays() { faults.delays.end() }

    /// Why the last line that was refused at the oracle was; nil when none was.
    package var oracleRefusal: String? { refusals.reason(OracleFile.refused) }

    /// How many events the trace has.
    package var eventCount: Int { recorder.recorded.events }

    /// Appends whole lines to the oracle, at this place of the trace, as if they were written to `.faultline/oracle`.
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

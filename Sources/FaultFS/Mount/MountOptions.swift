import Bytes
import Model
import Platform

/// The options of a mount.
package struct MountOptions: Sendable {
    /// Receives the recorded operations. Without it nothing is recorded, and no power cut is possible.
    package var trace: (any TraceSink)?
    /// The file outside the mount that receives lines written to `.faultline/oracle`; created if missing. Without it
    /// the lines stay in memory, for readers of `.faultline/oracle`.
    package var oraclePath: ByteString?
    /// Checks each line appended to the oracle, without its newline, with its line number. An invalid line fails the
    /// write, and `.faultline/status` gives the reason. Without a check every line is valid.
    package var judgeOracleLine: (@Sendable (_ line: ArraySlice<UInt8>, _ number: Int) -> OracleLineJudgement)?
    /// Called with the number of each line, from 1, before the line is written outside: in the order of the lines, while
    /// their writers wait. An error fails the write.
    package var willWriteOracleLine: (@Sendable (_ number: Int) throws(Errno) -> Void)?
    /// Cuts the power automatically at this point.
    package var crashPoint: CrashPoint?
    /// Called once after the power was cut, in its own thread. All calls on the mount fail by then.
    package var onFreeze: @Sendable (FreezeReason) -> Void = { _ in }
    /// The profile for `.faultline/unsynced` and for failed syncs that lose data.
    package var profile = Profile.posixMin
    /// The effect of a power cut that does not name one, such as by a rule.
    package var effect = CrashEffect.drop
    /// The fault rules, and the seed of their random choices.
    package var rules: [Rule] = []
    package var seed: UInt64 = 0
    /// The faults of an earlier run, to inject again. Excludes rules.
    package var script: ScriptedFaults?
    /// Whether syncs are passed to the backing filesystem. Without this runs are faster, but a crash of the real
    /// machine may lose data that the target had synced.
    package var syncsBelow = true
    /// Lets other users access the mount (allow_other). Permissions are checked either way.
    package var allowOther = false
    /// The maximum number of worker threads.
    package var threadLimit = 16
    /// The maximum number of cached inode descriptors, besides open files.
    package var descriptorLimit = defaultDescriptorLimit
    static let defaultDescriptorLimit = 4096
    /// The program that mounts for ordinary users.
    package var helper: ByteString = "fusermount3"
    /// How long an unmount waits for open files before it unmounts by force.
    package var unmountPatienceMilliseconds = 1000

    /// Called for the command `unmount` in `.faultline/control`; without it the command is rejected. It must return at
    /// once: the writer waits for it.
    package var onUnmountRequest: (@Sendable () -> Void)?
    /// Called from the last worker thread when the mount has ended, whoever unmounted it. It must return at once.
    package var onEnd: @Sendable () -> Void = {}
    /// Additional lines `name value` for `.faultline/status`.
    package var labels: [String] = []

    package init() {}

    /// The parameters of a power cut that names none.
    package var defaultCut: CutRequest { CutRequest(profile: profile, effect: effect, seed: seed) }
}

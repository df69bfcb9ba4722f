import Bytes
import Model

/// How to mount.
package struct MountOptions: Sendable {
    /// Where operations are recorded. Without one nothing is recorded, and a power cut cannot be carried out.
    package var trace: (any TraceSink)?
    /// The file outside the mount that receives what is appended to `.faultline/oracle`; made if it is not there.
    /// Without one the lines are kept in memory, for readers of `.faultline/oracle`.
    package var oraclePath: ByteString?
    /// Judges the text that somebody appends to the oracle, given without its newline and with the number of its line.
    /// What it refuses is refused, and `.faultline/status` says why. Without it any line will do.
    package var judgeOracleLine: (@Sendable (_ line: ArraySlice<UInt8>, _ number: Int) -> OracleLineJudgement)?
    /// When the power goes by itself.
    package var crashPoint: CrashPoint?
    /// Called once after the power went, in a thread of its own. It must not wait for calls on the mount to succeed:
    /// all of them fail by then.
    package var onFreeze: @Sendable (FreezeReason) -> Void = { _ in }
    /// The profile by which `.faultline/unsynced` says what a crash could lose, and a failed sync loses it.
    package var profile = Profile.posixMin
    /// What a power cut leaves that is asked for without more words, or that a rule brings about.
    package var effect = CrashEffect.drop
    /// The faults to inject, and the seed of what they leave to chance.
    package var rules: [Rule] = []
    package var seed: UInt64 = 0
    /// The faults of an earlier run, to be injected again instead of rules.
    package var script: ScriptedFaults?
    /// Whether a sync is passed to the backing filesystem. Without it a crash of the real machine may lose what the
    /// target had synced; everything else is as before, and faster.
    package var syncsBelow = true
    /// Lets other users in (allow_other). Permissions are checked by the kernel either way.
    package var allowOther = false
    /// How many threads serve requests at most.
    package var threadLimit = 16
    /// How many inodes are kept open beside open files.
    package var descriptorLimit = defaultDescriptorLimit
    static let defaultDescriptorLimit = 4096
    /// What mounts for an ordinary user.
    package var helper: ByteString = "fusermount3"
    /// How long an unmount waits for files that are still open, before it detaches the mount from them.
    package var unmountPatienceMilliseconds = 1000

    /// Called when somebody asks through `.faultline/control` that the mount be ended; without it that is refused. It must
    /// return at once: the one who asks waits for it.
    package var onUnmountRequest: (@Sendable () -> Void)?
    /// Called when the mount is served no longer, whoever unmounted it, from a thread that is about to end. It must return
    /// at once.
    package var onEnd: @Sendable () -> Void = {}
    /// Lines `name value` for `.faultline/status`.
    package var labels: [String] = []

    package init() {}

    /// What a cut leaves of which nothing is said.
    package var usualCut: CutRequest { CutRequest(profile: profile, effect: effect, seed: seed) }
}

import Bytes
import FaultFS
import Model

/// The parameters of `faultline mount`. Paths are absolute.
package struct MountRequest: Sendable {
    package enum Recording: Hashable, Sendable {
        /// No recording, so no write can be lost.
        case nothing
        /// Record enough for a power cut, in an unlinked file that goes with the mount.
        case unnamed
        /// Record a complete trace file, for `faultline trace` and other commands.
        case file(ByteString)
    }

    package var backing: ByteString
    package var mountPoint: ByteString
    package var rules: [Rule] = []
    /// The faults of an earlier mount to repeat, instead of rules.
    package var script: ScriptedFaults?
    package var recording = Recording.unnamed
    package var oracle: ByteString?
    package var cut = CutRequest(profile: .ext4Ordered, effect: .drop, seed: 1)
    package var allowOther = false

    package init(backing: ByteString, mountPoint: ByteString) {
        self.backing = backing
        self.mountPoint = mountPoint
    }
}

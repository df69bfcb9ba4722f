import Bytes
import FaultFS
import Model

/// What `faultline mount` is asked for. Paths are absolute.
package struct MountRequest: Sendable {
    package enum Recording: Hashable, Sendable {
        /// Nothing is recorded: nothing can be lost.
        case nothing
        /// As much as a power cut needs, in a file without a name that goes with the mount.
        case unnamed
        /// A whole trace, which `faultline trace` and others read.
        case file(ByteString)
    }

    package var backing: ByteString
    package var mountPoint: ByteString
    package var rules: [Rule] = []
    /// The faults of an earlier mount, to be injected again instead of rules.
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

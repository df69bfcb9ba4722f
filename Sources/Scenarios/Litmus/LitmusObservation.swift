import Block
import Exploration
import Litmus
import Model

/// The trees that a filesystem left of a litmus script, over the crash states of its device.
package struct LitmusObservation: Sendable, Encodable {
    /// A tree, as a line of a script.
    package struct Seen: Sendable, Encodable {
        package var outcome: String
        /// The number of images with this tree.
        package var imageCount: Int
    }

    /// A tree that the filesystem's profile forbids.
    package struct Forbidden: Sendable, Encodable, Hashable {
        package var outcome: String
        /// The step during or after which the power was cut, from 1.
        package var step: Int
        package var isStepOver: Bool
        /// What the kernel was made to do after the last step.
        package var aftermath: LitmusAftermath
        /// The event of the device's trace before the power cut.
        package var event: Int
    }

    package var script: String
    package var filesystem: BlockFilesystem
    /// Trees that the profile allows after the last step; nil if the filesystem has no profile.
    package var allowedCount: Int?
    /// Trees seen after the last step.
    package var seen: [Seen] = []
    /// Trees forbidden at any step, each once.
    package var forbidden: [Forbidden] = []
    /// Distinct reasons why images did not mount or could not be read.
    package var broken: [String] = []
    /// The number of distinct images that were mounted.
    package var imageCount = 0
    /// The device's epochs (from flush to flush), and how many of them were exhausted.
    package var epochs = 0
    package var exhaustedEpochs = 0

    package var isExhaustive: Bool { epochs == exhaustedEpochs }
}

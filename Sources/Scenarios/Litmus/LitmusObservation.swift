import Block
import Exploration
import Litmus
import Model

/// What a filesystem was seen to leave of a litmus script, over the crash states of its device.
package struct LitmusObservation: Sendable, Encodable {
    /// A tree, as a line of a script.
    package struct Seen: Sendable, Encodable {
        package var outcome: String
        /// How many images showed it.
        package var imageCount: Int
    }

    /// A tree that the filesystem's profile does not allow.
    package struct Forbidden: Sendable, Encodable, Hashable {
        package var outcome: String
        /// The step during or after which the power went, from 1.
        package var step: Int
        package var isStepOver: Bool
        /// What the kernel was led to do after the last step.
        package var aftermath: LitmusAftermath
        /// The event of the device's trace before which the power went.
        package var event: Int
    }

    package var script: String
    package var filesystem: BlockFilesystem
    /// Trees that the profile allows after the last step; nil where no profile speaks for the filesystem.
    package var allowedCount: Int?
    /// Trees seen after the last step.
    package var seen: [Seen] = []
    /// At any moment, each once.
    package var forbidden: [Forbidden] = []
    /// Why images did not mount or could not be read, each once.
    package var broken: [String] = []
    /// Distinct images that were mounted.
    package var imageCount = 0
    /// Of the device: stretches between flushes, and those in which every state was looked at.
    package var epochs = 0
    package var exhaustedEpochs = 0

    package var isExhaustive: Bool { epochs == exhaustedEpochs }
}

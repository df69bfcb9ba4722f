import Bytes
import Model

/// The result of a power cut: the crash state and the loss.
package struct PowerCut: Sendable {
    /// The number of trace events before the cut.
    package var eventCount: Int
    package var lost: LostAtoms
    /// The losses, one sentence each.
    package var lossDescriptions: [String]
    /// The changes that were unsynced, and so could have been lost, one sentence each.
    package var unsynced: [String]
    /// The tree now in the backing directory. Its contents are payloads of the mount.
    package var tree: Tree
}

import Block
import Bytes
import Exploration
import Foundation
import Model
import Runs
import Targets

/// The devices of a run that hold crash images, and counts of their use.
package final class BlockImages: Sendable {
    private let setup: BlockSetup
    private let pool: ImagePool
    private let tally = ImageTally()

    package init(_ setup: BlockSetup, scratch: ByteString) {
        self.setup = setup
        pool = ImagePool(setup.filesystem, sectorBytes: UInt32(setup.sectorBytes), scratch: scratch)
    }

    package convenience init(_ setup: BlockSetup, _ context: RunContext) { self.init(setup, scratch: context.scratch) }

    /// The number of workers: four times the number of processors, because a mount mostly waits for kernel threads and for
    /// grace periods of RCU.
    package static var workers: Int { 4 * ProcessInfo.processInfo.activeProcessorCount }

    package func recovery(_ payloads: any PayloadStore, _ client: RecoverClient, scratch: ByteString) -> ImageRecovery {
        ImageRecovery(
            pool, payloads: payloads, client: client, scratch: scratch, checkPeriod: setup.checkPeriod, tally: tally)
    }

    /// Releases the devices, and adds the counts to `total`.
    package func close(counting total: inout RunTally) {
        pool.close()
        total.block = RunResult.Block(setup, tally.counts)
    }
}

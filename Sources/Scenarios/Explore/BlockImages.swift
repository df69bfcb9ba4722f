import Block
import Bytes
import Exploration
import Foundation
import Model
import Runs
import Targets

/// The devices of one run on which crash images are shown, and what was counted there.
package final class BlockImages: Sendable {
    private let setup: BlockSetup
    private let pool: ImagePool
    private let tally = ImageTally()

    package init(_ setup: BlockSetup, scratch: ByteString) {
        self.setup = setup
        pool = ImagePool(setup.filesystem, sectorBytes: UInt32(setup.sectorBytes), scratch: scratch)
    }

    package convenience init(_ setup: BlockSetup, _ context: RunContext) { self.init(setup, scratch: context.scratch) }

    /// A mount waits for the kernel's threads more than it computes: more at once than there are processors.
    package var workers: Int { 2 * ProcessInfo.processInfo.activeProcessorCount }

    package func recovery(_ payloads: any PayloadStore, _ client: RecoverClient, scratch: ByteString) -> ImageRecovery {
        ImageRecovery(
            pool, payloads: payloads, client: client, scratch: scratch, checkPeriod: setup.checkPeriod, tally: tally)
    }

    /// Gives the devices back, and notes what was done with them.
    package func close(counting total: inout RunTally) {
        pool.close()
        total.block = RunResult.Block(setup, tally.counts)
    }
}

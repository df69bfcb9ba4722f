import Bytes
import Storage

extension MemoryBudget {
    /// The default budget of a run, which spills to the disk of `place` if possible, else to another disk.
    package static func standard(spillingNear place: ByteString) -> MemoryBudget {
        MemoryBudget(
            limitBytes: MachineMemory().defaultLimit.bytes, spillDirectory: ScratchSpace.onDisk(preferring: place))
    }
}

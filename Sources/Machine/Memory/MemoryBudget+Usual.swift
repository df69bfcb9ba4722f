import Bytes
import Storage

extension MemoryBudget {
    /// What a run may take if nobody says, with what does not fit put aside where `place` is, or else on another disk.
    package static func usual(spillingNear place: ByteString) -> MemoryBudget {
        MemoryBudget(
            limitBytes: MachineMemory().usualLimit.bytes, spillDirectory: ScratchSpace.onDisk(preferring: place))
    }
}

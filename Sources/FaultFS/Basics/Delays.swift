import CPlatform
import Glibc
import Model
import Platform
import Synchronization

/// Delays replies, as rules ask for.
///
/// The operation itself happens at once; only its reply is held back. A delay ends when its time is up, the calling
/// thread is killed, the last delay rule is removed, the power is cut (the reply becomes EIO), or the mount ends.
///
/// Threading: thread safe.
final class Delays: Sendable {
    /// The open /dev/fuse; -1 while there is none.
    private let device = Atomic<Int32>(-1)
    private let isClosed = Atomic<Bool>(false)

    func attach(device: Int32) { self.device.store(device, ordering: .sequentiallyConsistent) }

    /// Call before the device is closed: its number may be reused for another mount.
    func detach() { device.store(-1, ordering: .sequentiallyConsistent) }

    /// Delays the next reply of this thread; `caller` is the thread that waits for it.
    @inline(__always)
    func holdReply(_ durationNanoseconds: UInt64, to caller: Int32, of kind: OperationKind) {
        guard durationNanoseconds > 0 else { return }
        // A reply that carries a reference must not become an error: the kernel would never release the reference.
        let mayFail = ![.lookup, .create, .open, .mkdir, .symlink, .link].contains(kind)
        faultline_delay_next_write(durationNanoseconds, caller, mayFail ? 1 : 0)
        // Check after the delay is set: a concurrent `close` either sees the delay or has set the flag.
        if isClosed.load(ordering: .sequentiallyConsistent) { faultline_delay_next_write(0, 0, 0) }
    }

    /// Ends all current delays.
    func endAll() { faultline_end_late_writes(device.load(ordering: .sequentiallyConsistent), 0) }

    /// Ends all current delays and permits no new ones. The delayed replies become `error` if it is given.
    func close(_ error: Errno? = nil) {
        isClosed.store(true, ordering: .sequentiallyConsistent)
        faultline_end_late_writes(device.load(ordering: .sequentiallyConsistent), error?.code ?? 0)
    }
}

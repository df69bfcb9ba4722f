import CPlatform
import Glibc
import Model
import Synchronization

/// The delays of a mount: replies that rules hold up, and what ends that before its time.
///
/// A delay ends when its time is up, when the thread that waits for the reply is killed, when no rule delays any longer,
/// when the power goes (the reply is then EIO) and when the mount ends.
///
/// The operation itself has happened by then: what waits is its reply.
///
/// Threading: safe from any thread.
final class Delays: Sendable {
    /// The connection to the kernel; -1 while there is none.
    private let device = Atomic<Int32>(-1)
    private let areOver = Atomic<Bool>(false)

    func attach(device: Int32) { self.device.store(device, ordering: .sequentiallyConsistent) }

    /// The device is about to be closed: its number may come to mean another mount.
    func detach() { device.store(-1, ordering: .sequentiallyConsistent) }

    /// Holds up the next reply of this thread, which is for `caller`.
    @inline(__always)
    func holdReply(_ durationNanoseconds: UInt64, to caller: Int32, of kind: OperationKind) {
        guard durationNanoseconds > 0 else { return }
        // A reply that hands over a reference is not replaced: nobody would give that back.
        let mayFail = ![.lookup, .create, .open, .mkdir, .symlink, .link].contains(kind)
        faultline_delay_next_write(durationNanoseconds, caller, mayFail ? 1 : 0)
        // In this order: whoever ends the delays after this look finds the reply waiting, or keeps it from waiting.
        if areOver.load(ordering: .sequentiallyConsistent) { faultline_delay_next_write(0, 0, 0) }
    }

    /// Ends the delays that there are.
    func end() { faultline_end_late_writes(device.load(ordering: .sequentiallyConsistent), 0) }

    /// Ends the delays that there are, and lets no other begin. The replies become `error` where one is given.
    func endForGood(_ error: Errno? = nil) {
        areOver.store(true, ordering: .sequentiallyConsistent)
        faultline_end_late_writes(device.load(ordering: .sequentiallyConsistent), error?.code ?? 0)
    }
}

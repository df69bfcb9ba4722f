import CPlatform
import Glibc

/// A one-way flag that threads can wait for, alone or together with other descriptors: an eventfd that is written
/// once and never read.
final class Flag: Sendable {
    let descriptor: Descriptor

    init() throws(TargetError) {
        let raw = faultline_eventfd()
        guard raw >= 0 else { throw .system("eventfd") }
        descriptor = Descriptor(raw)
    }

    func raise() { _ = eventfd_write(descriptor.rawValue, 1) }

    /// True when raised before the deadline.
    func wait(until deadline: Deadline) throws(TargetError) -> Bool {
        try waitReadable([descriptor.rawValue], until: deadline)[0]
    }
}

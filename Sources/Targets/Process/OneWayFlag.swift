import CPlatform
import Glibc

/// A one-way flag that threads can wait for, alone or together with other descriptors: an eventfd that is written
/// once and never read.
package final class OneWayFlag: Sendable {
    let descriptor: Descriptor

    package init() throws(TargetError) {
        let raw = faultline_eventfd()
        guard raw >= 0 else { throw .system("eventfd") }
        descriptor = Descriptor(raw)
    }

    package func raise() { _ = eventfd_write(descriptor.rawValue, 1) }

    /// Returns when it is raised.
    package func wait() throws(TargetError) { _ = try wait(until: .never) }

    /// True when raised before the deadline.
    func wait(until deadline: Deadline) throws(TargetError) -> Bool {
        try waitReadable([descriptor.rawValue], until: deadline)[0]
    }
}

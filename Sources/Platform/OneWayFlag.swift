import CPlatform
import Glibc

/// A one-way flag that threads can wait for, alone or together with other descriptors: an eventfd(2) that is written
/// once and never read.
package final class OneWayFlag: Sendable {
    package let descriptor: SharedDescriptor

    package init() throws(Errno) {
        descriptor = SharedDescriptor(adopting: try Errno.check(faultline_eventfd()))
    }

    package func raise() { _ = eventfd_write(descriptor.rawValue, 1) }

    /// Returns when it is raised.
    package func wait() throws(Errno) { _ = try wait(until: .never) }

    /// True when raised before the deadline.
    package func wait(until deadline: Deadline) throws(Errno) -> Bool {
        try deadline.waitReadable([descriptor.rawValue])[0]
    }
}

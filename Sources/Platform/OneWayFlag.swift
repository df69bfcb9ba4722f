import CPlatform
import Glibc

/// A flag that is raised once and never cleared. Threads can wait for it, also together with other descriptors: it is
/// an eventfd(2) that is written and never read.
package final class OneWayFlag: Sendable {
    package let descriptor: SharedDescriptor

    package init() throws(Errno) {
        descriptor = SharedDescriptor(adopting: try Errno.check(faultline_eventfd()))
    }

    package func raise() { _ = eventfd_write(descriptor.rawValue, 1) }

    /// Waits until it is raised.
    package func wait() throws(Errno) { _ = try wait(until: .never) }

    /// Waits until it is raised or the deadline. True if it is raised.
    package func wait(until deadline: Deadline) throws(Errno) -> Bool {
        try deadline.waitReadable([descriptor.rawValue])[0]
    }
}

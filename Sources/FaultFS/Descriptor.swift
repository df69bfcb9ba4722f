import Glibc

/// A reference-counted file descriptor, closed with its last reference. A table may drop it while another thread's call
/// still uses it: the number is not reused before that call ends.
///
/// Keep it in a variable while you use its number: Swift may release, and so close, a temporary before the call.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}

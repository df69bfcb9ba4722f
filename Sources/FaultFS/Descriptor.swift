import Glibc

/// An open descriptor that is closed when the last reference to it goes: a table may drop one while a call in
/// another thread still uses it, and its number is not reused before that call ends.
///
/// Hold it in a variable while its number is used: a temporary may be gone, and closed, before the call.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }
}

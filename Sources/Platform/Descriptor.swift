import Glibc

/// An owned file descriptor, closed at the end of its owner's life. `SharedDescriptor` is for several owners.
package struct Descriptor: ~Copyable, Sendable {
    package let rawValue: Int32

    package init(adopting rawValue: Int32) { self.rawValue = rawValue }

    deinit { close(rawValue) }
}

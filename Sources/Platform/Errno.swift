import Glibc

/// The error of a failed system call: errno(3).
package struct Errno: Error, Hashable, Sendable {
    package let code: Int32

    @inlinable
    package init(_ code: Int32) { self.code = code }

    /// The calling thread's errno. Read it before anything else can change it.
    package static var current: Errno { Errno(Glibc.errno) }

    /// Returns the result of a CPlatform call; throws when it is negative, which means -errno.
    @inlinable
    @inline(__always)
    @discardableResult
    package static func check<Value: SignedInteger>(_ result: Value) throws(Errno) -> Value {
        if result < 0 { throw Errno(Int32(truncatingIfNeeded: -result)) }
        return result
    }

    /// Calls a CPlatform function, retrying on -EINTR.
    @inlinable
    @discardableResult
    package static func checking<Value: SignedInteger>(_ body: () -> Value) throws(Errno) -> Value {
        while true {
            let result = body()
            if result != -Value(EINTR) { return try check(result) }
        }
    }

    /// Makes a system call, retrying on EINTR; throws errno when it returns -1.
    @inlinable
    @discardableResult
    package static func retrying<Value: FixedWidthInteger & SignedInteger>(
        _ body: () -> Value
    ) throws(Errno) -> Value {
        while true {
            let result = body()
            if result != -1 { return result }
            if Glibc.errno != EINTR { throw Errno(Glibc.errno) }
        }
    }
}

extension Errno: CustomStringConvertible {
    /// The message of strerror(3).
    package var description: String {
        var buffer = [CChar](repeating: 0, count: 128)
        // The XSI form fills the buffer, the GNU form may return a static string instead; both are NUL-terminated.
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "errno \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

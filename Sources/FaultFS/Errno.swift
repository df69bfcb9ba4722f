import Glibc

/// The errno with which a call on the mount fails.
struct Errno: Error, Equatable {
    let code: Int32

    init(_ code: Int32) { self.code = code }

    /// Returns the result of a CPlatform call; throws when it is negative, which means -errno.
    @inline(__always)
    @discardableResult
    static func check<Value: SignedInteger>(_ result: Value) throws(Errno) -> Value {
        if result < 0 { throw Errno(Int32(truncatingIfNeeded: -result)) }
        return result
    }
}

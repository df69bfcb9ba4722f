import Glibc

/// What a call on the mount answers when it does not succeed.
struct Errno: Error, Equatable {
    let code: Int32

    init(_ code: Int32) { self.code = code }

    /// The result of a CPlatform call, which is negative for an errno.
    @inline(__always)
    @discardableResult
    static func check<Value: SignedInteger>(_ result: Value) throws(Errno) -> Value {
        if result < 0 { throw Errno(Int32(truncatingIfNeeded: -result)) }
        return result
    }
}

import Bytes

/// The errors of syncs that lost data of one file. Each descriptor that was open then reports the last of them once, as
/// with the kernel's `errseq_t` (lib/errseq.c); one that is opened later reports nothing.
package struct WritebackErrors: Sendable {
    /// How much of this a descriptor has reported.
    package struct Cursor: Sendable {
        fileprivate var count = 0

        package init() {}
    }

    private var count = 0
    /// The last error, and the rule that injected it.
    private var last: (error: ErrorNumber, rule: ByteString)?

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// The cursor of a descriptor that is opened now.
    package var now: Cursor {
        var cursor = Cursor()
        cursor.count = count
        return cursor
    }

    package mutating func add(_ error: ErrorNumber, rule: ByteString) {
        count += 1
        last = (error, rule)
    }

    /// The error that a descriptor has to report, which it then has.
    package func report(to cursor: inout Cursor) -> (error: ErrorNumber, rule: ByteString)? {
        guard cursor.count < count else { return nil }
        cursor.count = count
        return last
    }
}

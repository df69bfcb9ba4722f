import Bytes

/// The writeback errors of one file. Each descriptor that was open at the time reports the last error once, as with the
/// kernel's `errseq_t` (lib/errseq.c). A descriptor opened later reports nothing.
package struct WritebackErrors: Sendable {
    /// How many errors a descriptor has reported.
    package struct Cursor: Sendable {
        fileprivate var count = 0

        package init() {}
    }

    private var count = 0
    /// The last error and the rule that injected it.
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

    /// The error that a descriptor must report now; nil if it has reported all. Advances the cursor.
    package func report(to cursor: inout Cursor) -> (error: ErrorNumber, rule: ByteString)? {
        guard cursor.count < count else { return nil }
        cursor.count = count
        return last
    }
}

import Bytes
import Glibc
import Platform
import Storage

/// Lets the calls of a kind pass, `passing` of them, and fails those after, `failing` of them. Counts them all.
final class FailingCalls: StorageInterposer {
    private struct State {
        var counts: [StorageCall: Int] = [:]
        var isArmed = false
        var passing = 0
        var failing = 0
    }

    let call: StorageCall
    let errno: Int32
    private let state = Guarded(State())

    init(_ call: StorageCall, errno: Int32 = EIO) {
        self.call = call
        self.errno = errno
    }

    /// From now on.
    func arm(passing: Int = 0, failing: Int = .max) {
        state.withLock {
            $0.isArmed = true
            $0.passing = passing
            $0.failing = failing
        }
    }

    func disarm() { state.withLock { $0.isArmed = false } }

    func count(_ call: StorageCall) -> Int { state.withLock { $0.counts[call] ?? 0 } }

    func interpose(
        _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
    ) throws(StorageError) {
        let fails = state.withLock { state -> Bool in
            state.counts[call, default: 0] += 1
            guard state.isArmed, call == self.call else { return false }
            if state.passing > 0 {
                state.passing -= 1
                return false
            }
            if state.failing > 0 {
                state.failing -= 1
                return true
            }
            return false
        }
        if fails { throw .injected(call, name: name, errno: errno, rule: "test") }
        try proceed()
    }
}

import Bytes
import Glibc
import Platform
import Storage

/// Holds the next sync of a file until it is released, and lets it fail then if asked to.
final class HeldSync: StorageInterposer {
    let isArmed = Guarded(false)
    private let isHeld = Guarded(false)
    private let isReleased = Guarded(false)
    private let fails: Bool
    private let counted = Guarded(0)

    init(fails: Bool) { self.fails = fails }

    func waitUntilHeld() { while !isHeld.withLock({ $0 }) { usleepMilliseconds(1) } }
    /// The syncs since it was armed.
    var count: Int { counted.withLock { $0 } }

    func release() { isReleased.withLock { $0 = true } }

    func interpose(
        _ call: StorageCall, _ name: ByteString, proceed: @escaping @Sendable () throws(StorageError) -> Void
    ) throws(StorageError) {
        guard call == .sync, isArmed.withLock({ $0 }) else { return try proceed() }
        counted.withLock { $0 += 1 }
        isHeld.withLock { $0 = true }
        while !isReleased.withLock({ $0 }) { usleepMilliseconds(1) }
        if fails { throw .injected(call, name: name, errno: EIO, rule: "test") }
        try proceed()
    }
}

func usleepMilliseconds(_ count: UInt32) { usleep(count * 1000) }

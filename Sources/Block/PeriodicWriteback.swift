import Bytes
import Platform

/// Has the kernel write back what its cache holds of a device, many times a second, while a filesystem on it is in use.
///
/// The kernel does so itself, but only after 5 to 30 s (Documentation/admin-guide/sysctl/vm.rst, dirty_writeback_centisecs
/// and dirty_expire_centisecs), and a recorded run is over after one. Without it no block of ext4's metadata is ever in
/// place before a crash, and each image has the whole run in its journal, which takes longest of all to recover.
///
/// sync(1) does it, as a process of its own: whoever waits for a served file in the kernel cannot be killed until it is
/// answered. Thread safe.
package final class PeriodicWriteback: Sendable {
    /// Under its lock.
    private final class State: @unchecked Sendable {
        let lock = Lock()
        let wake = Condition()
        var isStopping = false
    }

    private let state = State()
    private let thread: Thread?

    private static let periodMilliseconds = 25

    /// Starts it. Without room for a thread nothing is written back early.
    package init(of device: ByteString) {
        thread = try? Thread { [state] in
            while Self.isTimeForMore(state) {
                // An I/O error is the filesystem's to tell: it sees the same.
                _ = try? FilesystemTool.outcome(of: ["sync", "--data"], [device], package: "coreutils")
            }
        }
    }

    /// Waits for a period. False when it was ended meanwhile.
    private static func isTimeForMore(_ state: State) -> Bool {
        state.lock.withLock {
            if !state.isStopping { state.wake.wait(state.lock, atMostMilliseconds: periodMilliseconds) }
            return !state.isStopping
        }
    }

    /// Ends it, and waits until the last write is done. Call it once, before the filesystem is unmounted.
    package func stop() {
        state.lock.withLock { state.isStopping = true }
        state.wake.wakeAll()
        thread?.join()
    }
}

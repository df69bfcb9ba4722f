import Bytes
import CPlatform
import Glibc

/// Processes that outlived the Faultline that started them.
///
/// When Faultline itself is killed with SIGKILL, the kernel kills what it had started, but not what those had started.
/// They still carry `FAULTLINE_SPAWN`, which names the process that started them and when that began, so that a later
/// process of the same id is not taken for it. A process that has wiped its environment is not found.
package enum StrayProcesses {
    /// Those that we may inspect, in order.
    package static func all() throws(TargetError) -> [Int32] {
        try ProcessTable.everyProcess().filter(isStray).sorted()
    }

    /// Kills those of `processes` that are strays. Returns how many were.
    @discardableResult
    package static func kill(_ processes: [Int32]) -> Int {
        var count = 0
        for process in processes {
            // Opened before it is looked at again, so that the signal goes to what was seen or to nobody.
            let descriptor = Descriptor(faultline_pidfd_open(process))
            guard descriptor.rawValue >= 0, isStray(process) else { continue }
            if faultline_pidfd_signal(descriptor.rawValue, SIGKILL) == 0 { count += 1 }
        }
        return count
    }

    private static func isStray(_ process: Int32) -> Bool {
        guard let mark = ProcessTable.environmentValue(ProcessFamily.variable, of: process),
            let spawn = SpawnMark(parsing: mark)
        else { return false }
        return ProcessTable.startTicks(of: spawn.process) != spawn.startTicks
    }
}

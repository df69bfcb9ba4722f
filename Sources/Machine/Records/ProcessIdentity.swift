import Bytes
import Glibc
import Targets

/// The identity of a process: its id with start time, boot id and pid namespace, which distinguish it from later
/// processes with the same id (proc_pid_stat(5), pid_namespaces(7)).
///
/// Its state is used only if there is no lock: see `OwnedRecord`.
package struct ProcessIdentity: Codable, Hashable, Sendable {
    package var pid: Int32
    /// Clock ticks from the boot to the start of the process.
    package var startTicks: UInt64
    package var bootID: String
    package var pidNamespace: String

    package enum State: Hashable, Sendable {
        case running
        case dead
        /// It belongs to another pid namespace and is not visible here.
        case unknown
    }

    package init(pid: Int32, startTicks: UInt64, bootID: String, pidNamespace: String) {
        self.pid = pid
        self.startTicks = startTicks
        self.bootID = bootID
        self.pidNamespace = pidNamespace
    }

    /// This process.
    package static func own() throws(RunDirectoryError) -> ProcessIdentity {
        guard let ticks = ProcessTable.ownStartTicks else {
            throw .damagedRecord(path: "/proc/self/stat", reason: "no start time")
        }
        return ProcessIdentity(
            pid: getpid(), startTicks: ticks, bootID: currentBootID, pidNamespace: currentPidNamespace)
    }

    /// Whether it started since the last boot of this machine.
    var isOfThisBoot: Bool { bootID == Self.currentBootID }

    /// Its name in messages.
    var inWords: String {
        pidNamespace == Self.currentPidNamespace ? "process \(pid)" : "process \(pid) of another PID namespace"
    }

    /// Its state, as far as visible from this process.
    package var state: State {
        guard isOfThisBoot else { return .dead }
        guard pidNamespace == Self.currentPidNamespace, ProcessTable.isOfOwnNamespace else { return .unknown }
        let isThere = ProcessTable.startTicks(of: pid) == startTicks && !ProcessTable.isEnding(pid)
        return isThere ? .running : .dead
    }

    private static var currentBootID: String {
        let text = SmallFile.contents(of: "/proc/sys/kernel/random/boot_id") ?? []
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private static var currentPidNamespace: String { ProcessTable.ownNamespace.map { "pid:[\($0)]" } ?? "" }
}

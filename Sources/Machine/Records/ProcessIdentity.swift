import Bytes
import Glibc
import Targets

/// A process, told apart from any later one that is given the same id: by when it began, since which boot, in which
/// namespace its id is valid (proc_pid_stat(5), pid_namespaces(7)).
///
/// Whether it lives is asked only where there is no lock to ask: see `OwnedRecord`.
package struct ProcessIdentity: Codable, Hashable, Sendable {
    package var pid: Int32
    /// Clock ticks from the boot to the start of the process.
    package var startTicks: UInt64
    package var bootID: String
    package var pidNamespace: String

    package enum State: Hashable, Sendable {
        case running
        case dead
        /// It belongs to another namespace of process ids, where it cannot be seen from here.
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

    /// It began after this machine was started last.
    var isOfThisBoot: Bool { bootID == Self.currentBootID }

    /// How a message names it.
    var inWords: String {
        pidNamespace == Self.currentPidNamespace ? "process \(pid)" : "process \(pid) of another PID namespace"
    }

    /// Whether it runs, as far as can be seen from here.
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

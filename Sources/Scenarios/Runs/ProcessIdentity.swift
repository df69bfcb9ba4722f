import Bytes
import Glibc

/// A process, told apart from any later one that is given the same id: by when it began, since which boot, in which
/// namespace its id is valid (proc_pid_stat(5), pid_namespaces(7)).
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
        let path = ByteString("/proc/self/stat")
        guard let ticks = startTicks(of: getpid()) else { throw .damagedRecord(path: path, reason: "no start time") }
        return ProcessIdentity(
            pid: getpid(), startTicks: ticks, bootID: currentBootID, pidNamespace: currentPidNamespace)
    }

    /// Whether it runs, as far as can be seen from here.
    package var state: State {
        guard bootID == Self.currentBootID else { return .dead }
        guard pidNamespace == Self.currentPidNamespace else { return .unknown }
        return Self.startTicks(of: pid) == startTicks ? .running : .dead
    }

    /// When the process with this id began; `nil` when there is none, or only a zombie.
    private static func startTicks(of pid: Int32) -> UInt64? {
        guard let stat = SmallFile.contents(of: ByteString("/proc/\(pid)/stat")),
            // pid (name) state …: the name may hold anything, so count from its last parenthesis.
            let close = stat.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = stat[stat.index(after: close)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, fields[0].first != UInt8(ascii: "Z") else { return nil }
        return UInt64(String(decoding: fields[19], as: UTF8.self))
    }

    private static var currentBootID: String {
        let text = SmallFile.contents(of: "/proc/sys/kernel/random/boot_id") ?? []
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private static var currentPidNamespace: String {
        var target = [UInt8](repeating: 0, count: 64)
        let count = target.withUnsafeMutableBytes { readlink("/proc/self/ns/pid", $0.baseAddress!, $0.count) }
        return String(decoding: target.prefix(max(0, count)), as: UTF8.self)
    }
}

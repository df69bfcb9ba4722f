import Bytes
import CPlatform
import Glibc
import Platform

/// Processes that outlived the Faultline that started them.
///
/// When Faultline is killed with SIGKILL, the kernel kills its children but not their descendants: a double-forked
/// daemon in its own session survives. Its `SpawnMark` still names the Faultline process, its start time and its pid
/// namespace. Only marks of our own namespace are evaluated: there, a Faultline is certainly dead if no process has its
/// pid and start time. Processes of Faultlines in other namespaces or containers are left alone.
package enum StrayProcesses {
    /// A process whose Faultline is dead.
    package struct Stray: Hashable, Sendable {
        package var process: Int32
        /// Its command name (comm).
        package var name: ByteString
        /// Why it must not be killed although it is a stray; nil if it may be.
        package var reasonNotToKill: String?

        package init(process: Int32, name: ByteString, reasonNotToKill: String? = nil) {
            self.process = process
            self.name = name
            self.reasonNotToKill = reasonNotToKill
        }
    }

    /// The result of ending a stray.
    package enum Ending: Hashable, Sendable {
        case ended
        /// It had ended already, or its pid now belongs to another process.
        case gone
        case failed(String)
    }

    /// How long a killed process may take to end.
    private static let patienceMilliseconds = 10_000

    /// All strays that can be inspected, sorted by pid.
    ///
    /// - Throws: `foreignProc` when /proc belongs to another namespace.
    package static func all() throws(TargetError) -> [Stray] {
        guard let namespace = ProcessTable.ownNamespace else { return [] }
        return try all(in: namespace)
    }

    /// For tests, which use marks of an invented namespace.
    static func all(in namespace: UInt32) throws(TargetError) -> [Stray] {
        var search = StraySearch(in: namespace)
        var found: [Stray] = []
        _ = try search.sweep { found.append($0) }
        return found.sorted { $0.process < $1.process }
    }

    /// The process as a stray; nil if it is not one.
    static func stray(_ process: Int32, in namespace: UInt32, _ family: Set<Int32>) -> Stray? {
        guard isStray(process, in: namespace) else { return nil }
        let name = ProcessTable.name(of: process) ?? ""
        return Stray(process: process, name: name, reasonNotToKill: reasonNotToKill(to: process, family))
    }

    /// Kills a process if it is still a stray, and waits until it has ended.
    package static func end(_ stray: Stray) -> Ending {
        ProcessTable.ownNamespace.map { end(stray, in: $0) } ?? .gone
    }

    static func end(_ stray: Stray, in namespace: UInt32) -> Ending {
        // Open a pidfd before the check, so that the signal goes to the checked process or to none.
        let descriptor = SharedDescriptor(adopting: faultline_pidfd_open(stray.process))
        guard descriptor.rawValue >= 0, isStray(stray.process, in: namespace),
            reasonNotToKill(to: stray.process, ancestors(of: getpid())) == nil
        else { return .gone }
        let result = faultline_pidfd_signal(descriptor.rawValue, SIGKILL)
        guard result == 0 else { return result == -ESRCH ? .gone : .failed("kill: \(Errno(-result))") }
        do {
            let hasEnded = try Deadline(afterMilliseconds: patienceMilliseconds).waitReadable([descriptor.rawValue])[0]
            return hasEnded ? .ended : .failed("it was killed but does not end")
        } catch {
            return .failed("\(error)")
        }
    }

    // MARK: - Steps

    /// Uses the mark in the environment if it is of our namespace; otherwise (environment cleared, overwritten,
    /// unreadable or with another mark) the one in the limit.
    private static func isStray(_ process: Int32, in namespace: UInt32) -> Bool {
        guard !ProcessTable.isEnding(process) else { return false }
        if let text = ProcessTable.environmentValue(ProcessFamily.variable, of: process) {
            if text == SpawnMark.nobodyValue { return false }
            if let mark = SpawnMark(parsing: text), mark.namespace == namespace {
                return living(mark.process) != mark.startTicks
            }
        }
        guard let limit = ProcessTable.lockLimit(of: process),
            let mark = SpawnMark.process(ofLimit: limit, namespace: namespace)
        else { return false }
        guard let living = living(mark.process) else { return true }
        return !SpawnMark.isSameStart(living, asInLimit: mark.startTicks)
    }

    /// The start time of a live process; nil if there is none with this pid.
    private static func living(_ process: Int32) -> UInt64? {
        guard let startTicks = ProcessTable.startTicks(of: process), !ProcessTable.isEnding(process) else { return nil }
        return startTicks
    }

    private static func reasonNotToKill(to process: Int32, _ family: Set<Int32>) -> String? {
        if family.contains(process) { return "this command was called from it" }
        guard let user = ProcessTable.user(of: process) else { return "its user is unknown" }
        return user == getuid() ? nil : "it belongs to user \(user)"
    }

    /// A process and its ancestors.
    static func ancestors(of process: Int32) -> Set<Int32> {
        var all: Set<Int32> = []
        var next: Int32? = process
        while let process = next, process > 0, all.insert(process).inserted { next = ProcessTable.parent(of: process) }
        return all
    }
}

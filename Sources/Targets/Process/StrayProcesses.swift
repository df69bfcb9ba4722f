import Bytes
import CPlatform
import Glibc
import Platform

/// Processes that outlived the Faultline that started them.
///
/// When Faultline itself is killed with SIGKILL, the kernel kills what it had started, but not what those had started: a
/// daemon that forked twice and made a session of its own lives on. It still carries a `SpawnMark`, which names the process
/// that started it, when that began, and the namespace in which the id means something. Only marks of our own namespace
/// are judged, where a process is dead for certain when none has its id and its start: what a Faultline of another
/// namespace or container started is none of ours.
package enum StrayProcesses {
    /// A process whose Faultline is dead.
    package struct Stray: Hashable, Sendable {
        package var process: Int32
        /// The name of its program, as the kernel has it.
        package var name: ByteString
        /// Why it is not to be ended, though it is a stray; nil for one that is.
        package var objection: String?

        package init(process: Int32, name: ByteString, objection: String? = nil) {
            self.process = process
            self.name = name
            self.objection = objection
        }
    }

    /// What became of one that was to be ended.
    package enum Ending: Hashable, Sendable {
        case ended
        /// It ended by itself, or is another process now.
        case gone
        case failed(String)
    }

    /// How long the kernel gets to end a killed process.
    private static let patienceMilliseconds = 10_000

    /// Every stray that can be inspected, in order.
    ///
    /// - Throws: `foreignProc` where /proc is that of another namespace.
    package static func all() throws(TargetError) -> [Stray] {
        guard let namespace = ProcessTable.ownNamespace else { return [] }
        return try all(in: namespace)
    }

    /// The same; tests have marks of a namespace of their own.
    static func all(in namespace: UInt32) throws(TargetError) -> [Stray] {
        var search = StraySearch(in: namespace)
        var found: [Stray] = []
        _ = try search.sweep { found.append($0) }
        return found.sorted { $0.process < $1.process }
    }

    /// The process as a stray; nil for one that is none.
    static func stray(_ process: Int32, in namespace: UInt32, _ family: Set<Int32>) -> Stray? {
        guard isStray(process, in: namespace) else { return nil }
        let name = ProcessTable.name(of: process) ?? ""
        return Stray(process: process, name: name, objection: objection(to: process, family))
    }

    /// Kills a process, if it is still a stray, and waits for its end.
    package static func end(_ stray: Stray) -> Ending {
        ProcessTable.ownNamespace.map { end(stray, in: $0) } ?? .gone
    }

    static func end(_ stray: Stray, in namespace: UInt32) -> Ending {
        // Opened before it is looked at again, so that the signal goes to what was seen or to nobody.
        let descriptor = SharedDescriptor(adopting: faultline_pidfd_open(stray.process))
        guard descriptor.rawValue >= 0, isStray(stray.process, in: namespace),
            objection(to: stray.process, ancestors(of: getpid())) == nil
        else { return .gone }
        let result = faultline_pidfd_signal(descriptor.rawValue, SIGKILL)
        guard result == 0 else { return result == -ESRCH ? .gone : .failed("kill: \(Errno(-result))") }
        do {
            let hasEnded = try Deadline(afterMilliseconds: patienceMilliseconds).waitReadable([descriptor.rawValue])[0]
            return hasEnded ? .ended : .failed("it was killed and does not end")
        } catch {
            return .failed("\(error)")
        }
    }

    // MARK: - Steps

    /// The environment decides where it holds a mark of our namespace; the limit where it was wiped or overwritten, may not
    /// be read, or says something else.
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

    /// When a process started that has not ended; nil when there is none.
    private static func living(_ process: Int32) -> UInt64? {
        guard let startTicks = ProcessTable.startTicks(of: process), !ProcessTable.isEnding(process) else { return nil }
        return startTicks
    }

    private static func objection(to process: Int32, _ family: Set<Int32>) -> String? {
        if family.contains(process) { return "this command was called from it" }
        guard let user = ProcessTable.user(of: process) else { return "nobody knows whose it is" }
        return user == getuid() ? nil : "it belongs to user \(user)"
    }

    /// A process and those above it.
    static func ancestors(of process: Int32) -> Set<Int32> {
        var all: Set<Int32> = []
        var next: Int32? = process
        while let process = next, process > 0, all.insert(process).inserted { next = ProcessTable.parent(of: process) }
        return all
    }
}

import Bytes
import CPlatform
import Glibc
import Platform

/// Assigns our child processes to the spawns that they belong to.
///
/// Each spawned process (a root) leads its own session and is the subreaper of its descendants; this process is the
/// subreaper of the roots. So a daemon stays below its root while the root lives, and becomes our child when it ends.
/// An unknown child of ours in another session therefore belongs to a root that has just ended. If two roots end at the
/// same time, two facts decide: the descendants that were noted before a root is killed, and the variable
/// `FAULTLINE_SPAWN` in each process. Only without both does the time decide. Processes whose variable names another
/// Faultline, or nobody (`SpawnMark.nobody`), are not ours.
///
/// Consequences: children that create their own session must be spawned through this type. A target may see its daemons
/// among its children. If this process is killed with SIGKILL, the kernel kills the roots but not their descendants;
/// those are found by `FAULTLINE_SPAWN`.
///
/// Not thread safe: the keeper's lock guards it, and is also held while spawning (a new root would look like an orphan)
/// and reaping (a signal could reach another process with the same id).
struct ProcessFamily {
    static let variable: ByteString = "FAULTLINE_SPAWN"

    private var roots: [pid_t: UInt64] = [:]
    private var orphans: [pid_t: UInt64] = [:]
    /// The descendants of roots that are being killed, and their sessions.
    private var noted: (processes: [pid_t: UInt64], sessions: [pid_t: UInt64]) = ([:], [:])

    mutating func add(root process: pid_t, serial: UInt64) { roots[process] = serial }

    /// Notes the descendants of a live root, to recognise them when they are orphaned.
    mutating func note(root process: pid_t, serial: UInt64) throws(TargetError) {
        for descendant in try ProcessTable.descendants(of: process) {
            noted.processes[descendant] = serial
            let session = getsid(descendant)
            if session > 0 { noted.sessions[session] = serial }
        }
    }

    /// Call when the root was reaped. Claims its orphans.
    mutating func remove(root process: pid_t, serial: UInt64) throws(TargetError) {
        roots[process] = nil
        try claimOrphans(for: serial)
    }

    /// Kills all orphans of `serial` and reaps dead ones. Returns descriptors that become readable when the others end.
    /// The children of a killed orphan become our orphans: call until the result is empty.
    mutating func killOrphans(of serial: UInt64) throws(TargetError) -> [SharedDescriptor] {
        try claimOrphans(for: serial)
        var ending: [SharedDescriptor] = []
        for (process, owner) in orphans where owner == serial {
            // Not reaped yet, so its id and group id cannot be reused.
            let group = getpgid(process)
            if group > 0, group != getpgrp() { kill(-group, SIGKILL) }
            kill(process, SIGKILL)
            let descriptor = faultline_pidfd_open(process)
            guard descriptor >= 0 else { throw .system(call: "pidfd_open", path: nil, errno: -descriptor) }
            ending.append(SharedDescriptor(adopting: descriptor))
        }
        if ending.isEmpty {
            noted.processes = noted.processes.filter { $0.value != serial }
            noted.sessions = noted.sessions.filter { $0.value != serial }
        }
        return ending
    }

    /// The live orphans of `serial`. Claims new ones and reaps dead ones.
    mutating func liveOrphans(of serial: UInt64) throws(TargetError) -> [pid_t] {
        try claimOrphans(for: serial)
        return orphans(of: serial)
    }

    /// The claimed live orphans of `serial`.
    func orphans(of serial: UInt64) -> [pid_t] { orphans.filter { $0.value == serial }.map(\.key).sorted() }

    private mutating func claimOrphans(for serial: UInt64) throws(TargetError) {
        let ours = getsid(0)
        for process in try ProcessTable.children(of: getpid()) where roots[process] == nil && orphans[process] == nil {
            let session = getsid(process)
            guard session != ours else { continue }
            if let owner = noted.processes[process] ?? noted.sessions[session] {
                orphans[process] = owner
                continue
            }
            let text = ProcessTable.environmentValue(ProcessFamily.variable, of: process)
            if text == SpawnMark.nobodyValue { continue }
            // An invalid mark counts as none.
            if let mark = text.flatMap(SpawnMark.init(parsing:)) {
                if mark.isOurs { orphans[process] = mark.serial }
            } else if !roots.keys.contains(where: hasEnded) {
                // Otherwise another root has ended and is not reaped yet: the orphan may be its.
                orphans[process] = serial
            }
        }
        for process in orphans.keys where hasEndedAndReaped(process) { orphans[process] = nil }
    }

    private func hasEnded(root process: pid_t) -> Bool {
        var information = siginfo_t()
        let asked = waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
        return asked == 0 && information._sifields._sigchld.si_pid == process
    }

    private func hasEndedAndReaped(_ process: pid_t) -> Bool {
        let result = waitpid(process, nil, WNOHANG)
        return result == process || (result < 0 && errno == ECHILD)
    }
}

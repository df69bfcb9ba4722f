import Bytes
import CPlatform
import Glibc
import Platform

/// Which of our child processes belongs to which spawn.
///
/// Every spawned process (a root) leads a session of its own and is the subreaper of its descendants, and we are the
/// subreaper of ours. So a daemon stays below its root for as long as that lives, and becomes our child at the moment
/// when the root ends: an unknown child of ours, in a session other than ours, belongs to the root that has just ended.
/// Two may end at once. So whoever is about to kill a root notes first what is below it, and every process is given the
/// variable `FAULTLINE_SPAWN`; only where neither tells does the moment decide. A process in whom the variable names
/// another Faultline, or nobody (`SpawnMark.nobody`), is none of ours.
///
/// Consequences: whoever starts a child that makes a session of its own must do it here. A target may see daemons of
/// its own among the children it waits for. If we are ourselves killed with SIGKILL, the kernel kills the roots, but
/// not what they started: those are found by `FAULTLINE_SPAWN`.
///
/// Not thread safe: the keeper guards it with a lock, which it also holds while it spawns (else a new root would look
/// like an orphan) and reaps (else a signal could go to another process of the same id).
struct ProcessFamily {
    static let variable: ByteString = "FAULTLINE_SPAWN"

    private var roots: [pid_t: UInt64] = [:]
    private var orphans: [pid_t: UInt64] = [:]
    /// What was below a root that is being killed: processes, and the sessions that they had made.
    private var noted: (processes: [pid_t: UInt64], sessions: [pid_t: UInt64]) = ([:], [:])

    mutating func add(root process: pid_t, serial: UInt64) { roots[process] = serial }

    /// Notes what is below the root, which is alive, so that it is known when it loses its parents.
    mutating func note(root process: pid_t, serial: UInt64) throws(TargetError) {
        for descendant in try ProcessTable.descendants(of: process) {
            noted.processes[descendant] = serial
            let session = getsid(descendant)
            if session > 0 { noted.sessions[session] = serial }
        }
    }

    /// The root was reaped: what it left behind is claimed for it.
    mutating func remove(root process: pid_t, serial: UInt64) throws(TargetError) {
        roots[process] = nil
        try claimOrphans(for: serial)
    }

    /// Kills every orphan of `serial` and reaps those that are dead. Returns descriptors that become readable as the
    /// others end; when it is empty, nothing is left. Killing an orphan makes its children ours: call until empty.
    mutating func killOrphans(of serial: UInt64) throws(TargetError) -> [SharedDescriptor] {
        try claimOrphans(for: serial)
        var ending: [SharedDescriptor] = []
        for (process, owner) in orphans where owner == serial {
            // Not reaped yet, so that neither the id nor its group's can mean another.
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

    /// The living orphans of `serial`, as far as they have been claimed.
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
            // What is no mark says nothing.
            if let mark = text.flatMap(SpawnMark.init(parsing:)) {
                if mark.isOurs { orphans[process] = mark.serial }
            } else if !roots.keys.contains(where: hasEnded) {
                // Else one has ended that nobody has reaped yet, and may have left it: that one's turn comes.
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

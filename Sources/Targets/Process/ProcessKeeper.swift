import Bytes
import CPlatform
import Glibc
import Platform

/// The thread that spawns all child processes, reads their standard errors and reaps them.
///
/// It is a single thread that never ends, because the kernel kills a child when the thread that spawned it ends
/// (PR_SET_PDEATHSIG). It sleeps in epoll_wait(2) until there is a spawn request, output on a standard error, or an
/// ended process. Waiting and killing happen on the callers' threads.
///
/// It waits for each execve(2). A program or working directory on a hanging mount would block all spawns: keep target
/// programs off the storage under test.
final class ProcessKeeper: Sendable {
    /// The keeper of this process, started on first use.
    static func shared() throws(TargetError) -> ProcessKeeper { try started.get() }

    private static let started: Result<ProcessKeeper, TargetError> = Result { () throws(TargetError) in
        try ProcessKeeper()
    }

    let family = Guarded(ProcessFamily())
    private let epoll: SharedDescriptor
    private let wake: SharedDescriptor
    private let requests = Guarded<(waiting: [SpawnRequest], lastSerial: UInt64)>(([], 0))

    private init() throws(TargetError) {
        // With pids of another namespace we would kill other processes.
        guard ProcessTable.isOfOwnNamespace else { throw .foreignProc }
        let status = faultline_become_subreaper()
        guard status == 0 else { throw .system(call: "prctl(PR_SET_CHILD_SUBREAPER)", path: nil, errno: -status) }
        epoll = try TargetError.naming("epoll_create1") { () throws(Errno) in
            SharedDescriptor(adopting: try Errno.retrying { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        }
        wake = try TargetError.naming("eventfd") { () throws(Errno) in
            SharedDescriptor(adopting: try Errno.check(faultline_eventfd()))
        }
        try watch(wake, token: 0)
        _ = try TargetError.naming("pthread_create") { () throws(Errno) in try Thread { self.runForever() } }
    }

    /// Starts `command` on the keeper's thread. Returns after execve(2).
    func spawn(_ command: Command) throws(TargetError) -> ChildProcess {
        let serial = requests.withLock { requests in
            requests.lastSerial += 1
            return requests.lastSerial
        }
        let request = try SpawnRequest(command, serial: serial)
        requests.withLock { $0.waiting.append(request) }
        _ = eventfd_write(wake.rawValue, 1)
        try TargetError.naming("poll") { () throws(Errno) in try request.done.wait() }
        return try request.result()
    }

    // MARK: - The keeper's thread

    private func runForever() -> Never {
        var children: [UInt64: ChildProcess] = [:]
        var events = [epoll_event](repeating: epoll_event(), count: 32)
        while true {
            let count = epoll_wait(epoll.rawValue, &events, Int32(events.count), -1)
            for event in events.prefix(Int(max(0, count))) {
                let token = event.data.u64
                if token == 0 {
                    serveRequests(&children)
                } else if let child = children[token >> 1] {
                    if token & 1 == 0 { end(child) } else { child.drainErrorsToTheEnd() }
                    if child.isFinished { children[token >> 1] = nil }
                }
            }
        }
    }

    private func serveRequests(_ children: inout [UInt64: ChildProcess]) {
        var count: UInt64 = 0
        _ = eventfd_read(wake.rawValue, &count)
        let waiting = requests.withLock { requests in
            defer { requests.waiting = [] }
            return requests.waiting
        }
        for request in waiting {
            request.finish(
                Result { () throws(TargetError) in
                    let child = try launch(request)
                    children[request.serial] = child
                    return child
                })
        }
    }

    private func launch(_ request: SpawnRequest) throws(TargetError) -> ChildProcess {
        let child = try family.withLock { family throws(TargetError) in
            let child = try request.launch(keeper: self)
            family.add(root: child.processID, serial: request.serial)
            return child
        }
        try watch(child.processDescriptor, token: request.serial << 1)
        if let errors = child.errors { try watch(errors, token: request.serial << 1 | 1) }
        return child
    }

    private func end(_ child: ChildProcess) {
        // Read its standard error before its end is reported, so that it is complete then.
        child.drainErrorsToTheEnd()
        guard child.reap() else { return }
        _ = epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, child.processDescriptor.rawValue, nil)
        do {
            try family.withLock { family throws(TargetError) in
                try family.remove(root: child.processID, serial: child.serial)
            }
        } catch {
            child.noteFailure(error)
        }
        child.exited.raise()
    }

    private func watch(_ descriptor: SharedDescriptor, token: UInt64) throws(TargetError) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = token
        guard epoll_ctl(epoll.rawValue, EPOLL_CTL_ADD, descriptor.rawValue, &event) == 0 else {
            throw .system("epoll_ctl")
        }
    }
}

import Bytes
import CFuse
import CPlatform
import Glibc
import Model
import Platform
import Synchronization

/// The connection to the kernel: a libfuse session over /dev/fuse and its worker threads.
///
/// The workers end when the filesystem is unmounted, by anyone, or on `stop`.
///
/// Threading: call `start` and `join` once, from one thread. The others are thread safe.
final class Session: @unchecked Sendable {
    private let raw: OpaquePointer
    private let device: Int32
    private let table: UnsafeMutablePointer<fuse_lowlevel_ops>
    /// Kept alive while requests may arrive: each request has a reference to it.
    private let server: AnyObject & Sendable
    /// Called when all workers have ended; set before `start`.
    var onJoin: @Sendable () -> Void = {}
    private var pool: WorkerPool<SystemCoordination>?
    private let invalidations = Atomic<Int>(0)

    /// Takes ownership of `device`, an open and mounted /dev/fuse, even when it throws.
    ///
    /// - Parameter server: what the callbacks find as the user data of a request.
    init(
        device: Int32, _ callbacks: fuse_lowlevel_ops, serving server: AnyObject & Sendable
    ) throws(Errno) {
        self.server = server
        table = .allocate(capacity: 1)
        table.initialize(to: callbacks)
        let state = Unmanaged.passUnretained(server).toOpaque()
        guard let raw = Self.make(table, state) else {
            table.deallocate()
            close(device)
            throw Errno(ENOMEM)
        }
        self.raw = raw
        self.device = device
        let result = faultline_fuse_attach(raw, device)
        if result < 0 {
            close(device)
            throw Errno(-result)
        }
    }

    deinit {
        fuse_session_destroy(raw)
        table.deallocate()
    }

    private static func make(_ table: UnsafePointer<fuse_lowlevel_ops>, _ state: UnsafeMutableRawPointer)
        -> OpaquePointer?
    {
        guard let name = strdup("faultline") else { return nil }
        defer { free(name) }
        var words: [UnsafeMutablePointer<CChar>?] = [name, nil]
        return words.withUnsafeMutableBufferPointer { words in
            var arguments = fuse_args(argc: 1, argv: words.baseAddress, allocated: 0)
            defer { fuse_opt_free_args(&arguments) }
            return fuse_session_new(&arguments, table, MemoryLayout<fuse_lowlevel_ops>.size, state)
        }
    }

    /// Answers the kernel's first request and starts the workers. The mount is ready when this returns. The last worker
    /// calls `onEnd`.
    ///
    /// - Parameter beforeRequests: called with the device before any other request is served.
    func start(
        _ sizing: PoolSizing, threadLimit: Int, beforeRequests: (_ device: Int32) -> Void = { _ in },
        onEnd: @escaping @Sendable () -> Void
    ) throws(Errno) {
        faultline_prepare_interrupts()
        var buffer = fuse_buf()
        defer { free(buffer.mem) }
        let received = fuse_session_receive_buf(raw, &buffer)
        guard received > 0 else { throw Errno(received < 0 ? -received : EPROTO) }
        faultline_fuse_process_init(raw, &buffer)
        beforeRequests(device)
        let pool = WorkerPool<SystemCoordination>(
            sizing, limit: threadLimit, threads: SystemThreads(),
            hasBacklog: { [device] in Self.isReadable(device) }, onEnd: onEnd,
            body: { [weak self] pool in self?.serve(pool) })
        self.pool = pool
        try pool.start()
    }

    private static func isReadable(_ device: Int32) -> Bool {
        var question = pollfd(fd: device, events: Int16(POLLIN), revents: 0)
        return poll(&question, 1, 0) == 1 && question.revents & Int16(POLLIN) != 0
    }

    private func serve(_ pool: WorkerPool<SystemCoordination>) {
        var buffer = fuse_buf()
        var room: UnsafeMutableRawPointer?
        defer { free(room ?? buffer.mem) }
        pool.serve {
            let reception = Reception(result: fuse_session_receive_buf(raw, &buffer))
            guard reception == .request else { return reception }
            let interrupted = faultline_fuse_interrupted(&buffer)
            if interrupted == 0 { return .request }
            // An interrupt has no reply of its own: the interrupted request is answered.
            faultline_interrupt_late_write(device, interrupted)
            return .nothing
        } processing: {
            faultline_mark_privileges_killed(faultline_fuse_kills_privileges(&buffer))
            fuse_session_process_buf(raw, &buffer)
            if room == nil { room = faultline_fuse_align(&buffer) }
        }
    }

    /// Drops an inode's pages from the kernel's cache. Runs in its own thread, since the kernel may wait for requests
    /// that are being served.
    func invalidate(_ id: InodeID) {
        invalidations.add(1, ordering: .relaxed)
        Thread.detach { [self] in
            // ENOENT: nothing was cached.
            _ = fuse_lowlevel_notify_inval_inode(raw, fuse_ino_t(id.rawValue), 0, 0)
            invalidations.subtract(1, ordering: .releasing)
        }
    }

    /// Drops an inode's attributes from the kernel's cache. For attributes only (a negative offset) the kernel takes no lock
    /// that a request could hold.
    func invalidateAttributes(_ id: InodeID) {
        _ = fuse_lowlevel_notify_inval_inode(raw, fuse_ino_t(id.rawValue), -1, 0)
    }

    /// Drops a name of the root, and all below it, from the kernel's cache. Not while a request is served.
    func invalidateRootName(_ name: ByteString) {
        _ = name.withCString { fuse_lowlevel_notify_inval_entry(raw, fuse_ino_t(1), $0, name.count) }
    }

    /// Whether a worker is still running.
    var isServing: Bool { pool?.isServing ?? false }

    /// Waits until no request is pending for 10 ms, or until no reply was sent for a second: then a request hangs. A
    /// single idle moment is not enough, since a worker may just have received a request.
    func waitUntilIdle() {
        guard let pool else { return }
        var (idle, stuck, seen) = (0, 0, -1)
        while pool.isServing, idle < Self.idleMilliseconds, stuck < Self.stuckMilliseconds {
            let requests = pool.requests
            idle = requests.areInProgress || Self.isReadable(device) || requests.finished != seen ? 0 : idle + 1
            stuck = requests.finished == seen ? stuck + 1 : 0
            seen = requests.finished
            usleep(1000)
        }
    }

    private static let idleMilliseconds = 10
    private static let stuckMilliseconds = 1000

    /// Makes the workers end even if the filesystem is still mounted somewhere.
    func stop() { pool?.stop() }

    /// Waits for all workers and invalidations.
    func join() {
        pool?.join()
        while invalidations.load(ordering: .acquiring) > 0 { usleep(1000) }
        onJoin()
        faultline_drop_late_writes(device)
    }
}

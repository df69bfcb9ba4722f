import Bytes
import CFuse
import CPlatform
import Glibc
import Model
import Synchronization

/// The connection to the kernel: libfuse's session over /dev/fuse, and the threads that serve it.
///
/// Threads are added while none is idle, up to a limit: a request that waits for the disk must not keep others
/// waiting. They end when the filesystem is unmounted, by whomever, or when `stop` tells them to.
///
/// Threading: `start` and `finish` are called once, from one thread; the others from any.
final class Session: @unchecked Sendable {
    private let raw: OpaquePointer
    private let device: Int32
    private let table: UnsafeMutablePointer<fuse_lowlevel_ops>
    private let fileSystem: FileSystem
    private let threadLimit: Int
    private let lock = Lock()
    private var threads: [Thread] = []
    private let idle = Atomic<Int>(0)
    private let running = Atomic<Int>(0)
    private let invalidations = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    /// Called when the last thread leaves, from that thread.
    private let onEnd: @Sendable () -> Void

    /// Takes over `device`, an open and mounted /dev/fuse, also when it throws.
    init(device: Int32, _ fileSystem: FileSystem, threadLimit: Int, onEnd: @escaping @Sendable () -> Void)
        throws(Errno)
    {
        self.fileSystem = fileSystem
        self.onEnd = onEnd
        self.threadLimit = max(threadLimit, 2)
        table = .allocate(capacity: 1)
        table.initialize(to: Callbacks.table())
        let state = Unmanaged.passUnretained(fileSystem).toOpaque()
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

    /// Answers the kernel's first request and starts serving: the mount is ready when this returns.
    func start() throws(Errno) {
        faultline_prepare_interrupts()
        var buffer = fuse_buf()
        defer { free(buffer.mem) }
        let received = fuse_session_receive_buf(raw, &buffer)
        guard received > 0 else { throw Errno(received < 0 ? -received : EPROTO) }
        faultline_fuse_process_init(raw, &buffer)
        fileSystem.invalidate = { [weak self] id in self?.invalidate(id) }
        // Of attributes alone (a negative offset) the kernel takes no lock that a request could hold.
        fileSystem.invalidateAttributes = { [weak self] id in
            if let self { _ = fuse_lowlevel_notify_inval_inode(raw, fuse_ino_t(id.rawValue), -1, 0) }
        }
        try addThread()
    }

    private func addThread() throws(Errno) {
        try lock.withLock { () throws(Errno) in
            guard threads.count < threadLimit, !isStopping.load(ordering: .relaxed) else { return }
            running.add(1, ordering: .relaxed)
            idle.add(1, ordering: .relaxed)
            do throws(Errno) {
                threads.append(try Thread { [self] in serve() })
            } catch {
                running.subtract(1, ordering: .relaxed)
                idle.subtract(1, ordering: .relaxed)
                throw error
            }
        }
    }

    private func serve() {
        var buffer = fuse_buf()
        defer {
            free(buffer.mem)
            if running.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { onEnd() }
        }
        while !isStopping.load(ordering: .relaxed) {
            let received = fuse_session_receive_buf(raw, &buffer)
            if received == -EINTR || received == -EAGAIN { continue }
            // 0: unmounted. Anything else is a connection that is of no use any more.
            guard received > 0 else { return }
            // One thread too few is only slower.
            if idle.subtract(1, ordering: .relaxed).newValue == 0 { try? addThread() }
            faultline_mark_privileges_killed(faultline_fuse_kills_privileges(&buffer))
            fuse_session_process_buf(raw, &buffer)
            idle.add(1, ordering: .relaxed)
        }
    }

    /// Makes the kernel forget the pages of an inode. In a thread of its own: the kernel may have to wait for requests
    /// that are being served.
    private func invalidate(_ id: InodeID) {
        invalidations.add(1, ordering: .relaxed)
        Thread.detach { [self] in
            // ENOENT: it had none.
            _ = fuse_lowlevel_notify_inval_inode(raw, fuse_ino_t(id.rawValue), 0, 0)
            invalidations.subtract(1, ordering: .releasing)
        }
    }

    /// Whether a thread still serves the mount.
    var isServing: Bool { running.load(ordering: .acquiring) > 0 }

    /// Makes the threads leave although the filesystem may still be mounted somewhere.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        let threads = lock.withLock { self.threads }
        while isServing {
            for thread in threads { thread.interrupt() }
            usleep(1000)
        }
    }

    /// Waits for all threads.
    func join() {
        while let next = lock.withLock({ threads.popLast() }) { next.join() }
        while invalidations.load(ordering: .acquiring) > 0 { usleep(1000) }
        faultline_drop_late_writes(device)
    }
}

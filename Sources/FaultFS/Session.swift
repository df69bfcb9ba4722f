import Bytes
import CFuse
import CPlatform
import Glibc
import Model
import Synchronization

/// The connection to the kernel: libfuse's session over /dev/fuse, and the threads that serve it.
///
/// They end when the filesystem is unmounted, by whomever, or when `stop` tells them to.
///
/// Threading: `start` and `finish` are called once, from one thread; the others from any.
final class Session: @unchecked Sendable {
    private let raw: OpaquePointer
    private let device: Int32
    private let table: UnsafeMutablePointer<fuse_lowlevel_ops>
    private let fileSystem: FileSystem
    private var crew: Crew?
    private let invalidations = Atomic<Int>(0)

    /// Takes over `device`, an open and mounted /dev/fuse, also when it throws.
    init(device: Int32, _ fileSystem: FileSystem) throws(Errno) {
        self.fileSystem = fileSystem
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

    /// Answers the kernel's first request and starts serving, with a crew of this size: the mount is ready when this
    /// returns. `onEnd` is called when the last thread leaves, from that thread.
    func start(_ size: Crew.Size, threadLimit: Int, onEnd: @escaping @Sendable () -> Void) throws(Errno) {
        faultline_prepare_interrupts()
        var buffer = fuse_buf()
        defer { free(buffer.mem) }
        let received = fuse_session_receive_buf(raw, &buffer)
        guard received > 0 else { throw Errno(received < 0 ? -received : EPROTO) }
        faultline_fuse_process_init(raw, &buffer)
        fileSystem.faults.delays.attach(device: device)
        fileSystem.invalidate = { [weak self] id in self?.invalidate(id) }
        // Of attributes alone (a negative offset) the kernel takes no lock that a request could hold.
        fileSystem.invalidateAttributes = { [weak self] id in
            if let self { _ = fuse_lowlevel_notify_inval_inode(raw, fuse_ino_t(id.rawValue), -1, 0) }
        }
        let crew = Crew(
            size, limit: threadLimit, isBehind: { [device] in Self.isReadable(device) }, onEnd: onEnd,
            body: { [weak self] crew in self?.serve(crew) })
        self.crew = crew
        try crew.start()
    }

    private static func isReadable(_ device: Int32) -> Bool {
        var question = pollfd(fd: device, events: Int16(POLLIN), revents: 0)
        return poll(&question, 1, 0) == 1 && question.revents & Int16(POLLIN) != 0
    }

    private func serve(_ crew: Crew) {
        var buffer = fuse_buf()
        var room: UnsafeMutableRawPointer?
        defer { free(room ?? buffer.mem) }
        while crew.attend() {
            let received = fuse_session_receive_buf(raw, &buffer)
            if received == -EINTR || received == -EAGAIN { continue }
            // No room for a request; those that are served will give some back.
            if received == -ENOMEM {
                usleep(1000)
                continue
            }
            // 0: unmounted. Anything else is a connection that is of no use any more.
            guard received > 0 else { return }
            let interrupted = faultline_fuse_interrupted(&buffer)
            if interrupted != 0 {
                // It is answered by answering what it is about.
                faultline_interrupt_late_write(device, interrupted)
                continue
            }
            crew.began()
            faultline_mark_privileges_killed(faultline_fuse_kills_privileges(&buffer))
            fuse_session_process_buf(raw, &buffer)
            crew.ended()
            if room == nil { room = faultline_fuse_align(&buffer) }
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
    var isServing: Bool { crew?.isServing ?? false }

    /// Waits until the kernel has no request left that nobody answered, or until none was answered for a second: then one
    /// hangs. A moment without requests is not enough, as a thread may just have taken one.
    func waitUntilIdle() {
        guard let crew else { return }
        var (idle, stuck, seen) = (0, 0, -1)
        while crew.isServing, idle < Self.idleMilliseconds, stuck < Self.stuckMilliseconds {
            let work = crew.work
            idle = work.isUnderWay || Self.isReadable(device) || work.finished != seen ? 0 : idle + 1
            stuck = work.finished == seen ? stuck + 1 : 0
            seen = work.finished
            usleep(1000)
        }
    }

    private static let idleMilliseconds = 10
    private static let stuckMilliseconds = 1000

    /// Makes the threads leave although the filesystem may still be mounted somewhere.
    func stop() { crew?.stop() }

    /// Waits for all threads.
    func join() {
        crew?.join()
        while invalidations.load(ordering: .acquiring) > 0 { usleep(1000) }
        fileSystem.faults.delays.detach()
        faultline_drop_late_writes(device)
    }
}

import Bytes
import CPlatform
import Glibc
import Model
import Platform
import Storage

/// A directory mounted through FaultFS. Any program can use it; every change is recorded; its power can be cut.
///
///     let mount = try FaultMount(backing: "/tmp/store", mountPoint: "/tmp/mnt", options: options)
///     try mount.start()       // ready when it returns
///     …                       // run a program in /tmp/mnt
///     mount.crash()           // nothing takes effect any more
///     try mount.unmount()
///
/// The serving process must not keep files of the mount open, call into the mount while it holds a lock that the
/// serving threads need, or exit with such a file open: it would wait for itself. Let other processes use the mount.
///
/// Only the mount may change the backing directory while it is mounted.
///
/// Threading: thread safe. `unmount` may be called more than once, and after someone else unmounted.
package final class FaultMount: @unchecked Sendable {
    package let backing: ByteString
    package let mountPoint: ByteString
    let options: MountOptions
    let recorder: Recorder
    let faults: FaultInjector
    let rejectedWrites = RejectedWriteLog()
    /// The backing filesystem is in memory: syncs do nothing, and no call waits for a disk.
    private let isInMemory: Bool
    /// The tree at the time of the mount.
    package private(set) var base = Tree()

    /// Performs the power cut; nil when nothing is recorded. Set by `start`.
    private(set) var cutter: PowerCutter?
    /// Set by `start`.
    private(set) var oracle: OracleFile?

    private enum MountState {
        case new
        case mounted(Session, FileSystem, StateDirectory)
        /// The filesystem still has the base contents.
        case unmounted(FileSystem)
    }
    private let lock = Lock()
    private var state = MountState.new

    /// Checks paths and rules; mounts nothing yet. Paths may be relative; symbolic links are followed.
    package init(backing: ByteString, mountPoint: ByteString, options: MountOptions) throws(MountError) {
        self.backing = try Self.resolve(backing)
        self.mountPoint = try Self.resolve(mountPoint)
        self.options = options
        isInMemory = self.backing.withCString { faultline_is_in_memory($0) } == 1
        for rule in options.rules {
            do throws(CommandError) {
                try FaultInjector.check(rule, isRecording: options.trace != nil)
            } catch {
                throw .rule(rule, reason: error.reason)
            }
        }
        let faults = FaultInjector(
            rules: options.rules, seed: options.seed, script: options.script, isRecording: options.trace != nil)
        self.faults = faults
        recorder = Recorder(
            sink: options.trace, crashPoint: options.crashPoint, delays: faults.delays,
            countsEveryTurn: { faults.isActive },
            onFreeze: options.onFreeze)
        try Self.check(self.backing, self.mountPoint)
    }

    deinit {
        // A mount without a server would fail every access. There is no caller to report an error to.
        try? unmount()
    }

    /// Grows the process's descriptor table for mounts with many files. Call it at process start, before there are
    /// threads: growing the table later makes the first thousand files slower.
    package static func prepareProcess() {
        faultline_reserve_descriptors(UInt32(MountOptions.defaultDescriptorLimit * 5 / 4))
    }

    /// Mounts. When it returns the mount is ready; when it throws, nothing is mounted.
    package func start() throws(MountError) {
        try lock.withLock { () throws(MountError) in
            guard case .new = state else { throw .mountPointInUse(mountPoint) }
            let (outside, isNewOracle) = try openOracle()
            do throws(MountError) { try start(outside) } catch {
                if isNewOracle, let path = options.oraclePath { _ = path.withCString { unlink($0) } }
                throw error
            }
        }
    }

    private func start(_ outside: SharedDescriptor) throws(MountError) {
        let limit = Int(faultline_raise_open_files(65_536))
        let directory = try StateDirectory(in: backing)
        do throws(MountError) {
            let fileSystem = try makeFileSystem(directory, outside, min(options.descriptorLimit, limit / 2))
            state = .mounted(try serve(fileSystem), fileSystem, directory)
        } catch {
            try directory.remove()
            throw error
        }
    }

    /// Cuts the power at an operation boundary. False when it was off already.
    @discardableResult
    package func crash() -> Bool { recorder.freeze(.requested) }

    /// Unmounts and keeps everything that was written. Waits for open files as long as the options say, then unmounts
    /// by force: those files then fail. Does nothing when not mounted.
    package func unmount() throws(MountError) {
        do throws(MountError) {
            try unmount { _ throws(MountError) in }
        } catch {
            if case .notMounted = error { return }
            throw error
        }
    }

    /// Unmounts, then runs `body` before the undo data is removed.
    func unmount<Result>(_ body: (PowerCutter?) throws(MountError) -> Result) throws(MountError) -> Result {
        lock.lock()
        defer { lock.unlock() }
        guard case .mounted(let session, let fileSystem, let directory) = state else { throw .notMounted(mountPoint) }
        faults.delays.close()
        detach(session)
        session.stop()
        session.join()
        fileSystem.handles.releaseAll()
        state = .unmounted(fileSystem)
        // Remove the state directory whatever fails from here on.
        let result = Swift.Result { () throws(MountError) in
            if !recorder.isFrozen {
                do throws(Errno) { try fileSystem.releaseAllHeld() } catch {
                    throw .system(call: "pwrite", path: backing, errno: error.code)
                }
            }
            return try body(cutter)
        }
        cutter?.close()
        let removal = Swift.Result { () throws(MountError) in try directory.remove() }
        let value = try result.get()
        try removal.get()
        return value
    }

    var fileSystem: FileSystem? {
        lock.withLock {
            switch state {
            case .new: nil
            case .mounted(_, let fileSystem, _), .unmounted(let fileSystem): fileSystem
            }
        }
    }

    /// The unsynced changes under the mount's profile, one line each.
    private static func unsynced(_ tracker: UnsyncedTracker?) -> String {
        guard let tracker else { return "nothing is recorded\n" }
        return tracker.pending().unsynced().map { $0 + "\n" }.joined()
    }

    /// Bytes that programs see and storage does not hold, one line per file and cause.
    private static func visibleOnly(_ pageCaches: PageCaches, _ table: InodeTable) -> String {
        pageCaches.counts.map { id, held, lost in
            let path = (try? table.node(UInt(id.rawValue))).map { "\(table.path(of: $0))" } ?? "a removed file"
            let heldLine =
                "held back by a rule until the next sync, lost in any crash: \(held.counted("byte")) of \(path)\n"
            let lostLine =
                "lost by storage, still seen by programs: \(lost.counted("byte")) of \(path)\n"
            return (held > 0 ? heldLine : "") + (lost > 0 ? lostLine : "")
        }.joined()
    }

    /// The faults injected so far, in order: the script of a replay.
    package var injectedFaults: [InjectedFault] { faults.faults }

    // MARK: Unmounting

    private func detach(_ session: Session) {
        // Mounts stacked on ours must go first. Each round removes one.
        for _ in 0..<Self.stackedMountLimit where session.isServing {
            let isDetached = detachTopmost(session)
            for _ in 0..<1000 where session.isServing { usleep(100) }
            if !isDetached || session.isServing && !listed.contains(where: isOurs) { return }
        }
    }

    private static let stackedMountLimit = 64

    /// All mounts at our mount point, topmost last.
    private var listed: [MountTable.Mount] { ((try? MountTable.read()) ?? []).filter { $0.mountPoint == mountPoint } }

    private func isOurs(_ entry: MountTable.Mount) -> Bool { entry.source == MountTable.source(of: getpid()) }

    /// False when even a forced unmount failed.
    private func detachTopmost(_ session: Session) -> Bool {
        var waited: UInt32 = 0
        var pause: UInt32 = 100
        while session.isServing {
            let force = Int(waited) >= options.unmountPatienceMilliseconds * 1000
            if force { flushMappings(session) }
            do throws(MountError) {
                if force, let top = listed.last, !isOurs(top) {
                    // A foreign mount may be in use elsewhere: a forced unmount would end it there too, so detach it.
                    try KernelMount.detach(mountPoint, helper: options.helper)
                    return true
                }
                try KernelMount.unmount(mountPoint, helper: options.helper, force: force)
                return true
            } catch {
                // EBUSY: in use. Otherwise it is no longer mounted, and the worker threads are about to end.
                if force { return false }
                guard case .system(_, _, EBUSY) = error else { return false }
            }
            // A process that wrote `unmount` to the control file still has it open for a moment.
            usleep(pause)
            waited += pause
            pause = min(pause * 2, 10_000)
        }
        return true
    }

    /// Makes the kernel write back dirty pages of shared mappings: a forced unmount drops them. syncfs(2) starts the
    /// writeback but does not wait for FUSE filesystems (mm: AS_NO_DATA_INTEGRITY), so this waits until the queue is
    /// idle.
    private func flushMappings(_ session: Session) {
        guard !recorder.isFrozen else { return }
        let root = mountPoint.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard root >= 0 else { return }
        _ = faultline_sync_filesystem(root)
        close(root)
        session.waitUntilIdle()
    }

    // MARK: Mounting

    func makeFileSystem(_ directory: StateDirectory, _ outside: SharedDescriptor, _ descriptorLimit: Int)
        throws(MountError) -> FileSystem
    {
        let root = backing.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard root >= 0 else { throw .system(call: "open", path: backing, errno: errno) }
        let descriptor = SharedDescriptor(adopting: root)
        var attributes = stat()
        guard fstat(root, &attributes) == 0 else { throw .system(call: "fstat", path: backing, errno: errno) }
        let table = InodeTable(
            root: descriptor, number: UInt64(attributes.st_ino),
            orphans: recorder.isRecording ? directory.orphans : nil,
            descriptorLimit: descriptorLimit)
        let undo =
            recorder.isRecording
            ? UndoStore(scratch: directory.scratch) { id throws(Errno) in
                try table.openFile(table.node(UInt(id.rawValue)), flags: O_RDONLY)
            } : nil
        base = try Scan(backing, table, undo).tree
        table.endBase()
        if let undo, let trace = options.trace {
            do { try trace.begin(base, contents: undo) } catch { throw .trace("\(error)") }
        }
        let tracker = undo.flatMap { undo in
            options.trace.map { UnsyncedTracker(base: base, trace: $0, profile: options.profile, undo: undo) }
        }
        recorder.tracker = tracker
        cutter = tracker.map { PowerCutter(backing: backing, directory: directory, tracker: $0) }
        let pageCaches = PageCaches()
        let control = makeControl(outside, pageCaches) { Self.unsynced(tracker) + Self.visibleOnly(pageCaches, table) }
        let fileSystem = FileSystem(
            table: table, recorder: recorder, control: control, undo: undo, faults: faults, tracker: tracker,
            pageCaches: pageCaches, scratch: directory.scratch, syncsBelow: options.syncsBelow && !isInMemory)
        pageCaches.invalidate = { [weak fileSystem] id in fileSystem?.invalidate(id) }
        return fileSystem
    }

    private func makeControl(
        _ outside: SharedDescriptor, _ pageCaches: PageCaches, _ unsynced: @escaping @Sendable () -> String
    ) -> ControlDirectory {
        let rejectedWrites = rejectedWrites
        let oracle = OracleFile(
            recorder, outside: outside, rejectedWrites: rejectedWrites, judge: options.judgeOracleLine,
            willWrite: options.willWriteOracleLine)
        self.oracle = oracle
        let commands = Commands(
            recorder: recorder, faults: faults,
            defaultCut: options.defaultCut,
            crash: { [weak self] request throws(CommandError) in
                guard let self else { throw CommandError(reason: "the mount has ended") }
                return try self.runCrashCommand(request)
            }, evict: { pageCaches.evictAll() }, unmount: options.onUnmountRequest,
            labels: { [labels = options.labels] in labels + rejectedWrites.lines })
        return ControlDirectory([
            (
                "control",
                CommandFile("control", rejectedWrites: rejectedWrites) { lines throws(CommandError) in
                    try commands.run(lines)
                }
            ),
            ("oracle", oracle),
            ("status", TextFile { commands.status + "\n" }),
            ("unsynced", TextFile(unsynced)),
            ("rules", TextFile { [faults] in faults.status }),
            ("faults", TextFile { [faults] in faults.faults.map { "\($0)\n" }.joined() }),
            ("trace", TextFile { [options] in options.trace?.status ?? "nothing is recorded\n" }),
            (
                "crash",
                CommandFile(
                    "crash", rejectedWrites: rejectedWrites, takesOneCommand: true,
                    initialText: { [weak self] in self?.cutSummary ?? "" }
                ) { words throws(CommandError) in try commands.run(words.map { "crash \($0)" }) }
            ),
        ])
    }

    private func serve(_ fileSystem: FileSystem) throws(MountError) -> Session {
        let device = try KernelMount.mount(mountPoint, allowOther: options.allowOther, helper: options.helper)
        do throws(Errno) {
            let session = try Session(device: device, Callbacks.table(), serving: fileSystem)
            let delays = fileSystem.faults.delays
            session.onJoin = { delays.detach() }
            fileSystem.invalidate = { [weak session] id in session?.invalidate(id) }
            fileSystem.invalidateAttributes = { [weak session] id in session?.invalidateAttributes(id) }
            try session.start(
                isInMemory ? .minimal : .onePerRequest, threadLimit: options.threadLimit,
                beforeRequests: { delays.attach(device: $0) }, onEnd: options.onEnd)
            return session
        } catch {
            try KernelMount.unmount(mountPoint, helper: options.helper, force: true)
            throw .system(call: "FUSE", path: mountPoint, errno: error.code)
        }
    }

    /// Opens the file that receives oracle lines, and says whether this created it.
    private func openOracle() throws(MountError) -> (SharedDescriptor, isNew: Bool) {
        guard let path = options.oraclePath else {
            let file = faultline_memfd("oracle")
            guard file >= 0 else { throw .system(call: "memfd_create", path: "oracle", errno: -file) }
            return (SharedDescriptor(adopting: file), false)
        }
        let (file, isNew): (Int32, Bool)
        do throws(OutputError) { (file, isNew) = try OutputDescriptor.append(path, access: O_RDWR) } catch {
            throw .system(call: "open", path: path, errno: error.errno)
        }
        let descriptor = SharedDescriptor(adopting: file)
        do throws(MountError) {
            var attributes = stat()
            guard fstat(file, &attributes) == 0, attributes.st_mode & S_IFMT == S_IFREG else {
                throw .unsupported(path, reason: "an oracle must be a regular file")
            }
            try requireOutside(path, "an oracle")
        } catch {
            if isNew { _ = path.withCString { unlink($0) } }
            throw error
        }
        return (descriptor, isNew)
    }

    /// Removes the state directory of a mount whose daemon was killed. The next `start` does the same.
    package static func clearAbandoned(backing: ByteString) throws(MountError) {
        try StateDirectory.clearAbandoned(in: try resolve(backing))
    }

    /// Whether this backing directory is mounted somewhere.
    package static func isMounted(backing: ByteString) -> Bool { StateDirectory.isMounted(backing) }
}

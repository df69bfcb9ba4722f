import Bytes
import CPlatform
import Glibc
import Model
import Storage

/// A directory mounted through FaultFS: every program may use it, every change of it is recorded, and its power can
/// be cut.
///
///     let mount = try FaultMount(backing: "/tmp/store", mountPoint: "/tmp/mnt", options: options)
///     try mount.start()       // ready when it returns
///     …                       // run something in /tmp/mnt
///     mount.crash()           // from here on nothing takes effect
///     try mount.unmount()
///
/// The process that serves a mount must not keep a file of it open, nor wait for a call on it with a lock held that
/// the serving threads need, nor end while one is open: it would wait for itself. Other processes do the work.
///
/// Nothing else may change the backing directory while it is mounted.
///
/// Threading: safe from several threads; `unmount` may be called more than once and when something else unmounted.
package final class FaultMount: @unchecked Sendable {
    package let backing: ByteString
    package let mountPoint: ByteString
    let options: MountOptions
    let recorder: Recorder
    let faults: FaultInjector
    let refusals = RefusalLog()
    /// Whether what is stored below is kept in memory: a sync does nothing there, and nothing has to be waited for.
    private let isInMemory: Bool
    /// The tree as it was mounted.
    package private(set) var base = Tree()

    /// Makes the one power cut; nil when nothing is recorded. Set when the mount is made.
    private(set) var cutter: PowerCutter?
    /// Set when the mount is made.
    private(set) var oracle: OracleFile?

    private enum State {
        case new
        case mounted(Session, FileSystem, StateDirectory)
        /// The filesystem still knows what files held before.
        case unmounted(FileSystem)
    }
    private let lock = Lock()
    private var state = State.new

    /// Checks the paths and mounts nothing yet. Paths may be relative; symbolic links in them are followed.
    package init(backing: ByteString, mountPoint: ByteString, options: MountOptions) throws(MountError) {
        self.backing = try Self.resolve(backing)
        self.mountPoint = try Self.resolve(mountPoint)
        self.options = options
        isInMemory = self.backing.withCString { faultline_is_in_memory($0) } == 1
        for rule in options.rules {
            do throws(Refusal) {
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
        // A mount that nobody serves would make everyone who touches it fail. What can go wrong was tried.
        try? unmount()
    }

    /// Makes the process ready to serve mounts with many files. Belongs where it begins, before it has threads; without
    /// it the first thousand files of a mount are slower.
    package static func prepareProcess() {
        faultline_reserve_descriptors(UInt32(MountOptions.defaultDescriptorLimit * 5 / 4))
    }

    /// Mounts. The mount is ready when this returns; when it throws, nothing is left mounted.
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

    private func start(_ outside: Descriptor) throws(MountError) {
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

    /// Cuts the power at an operation boundary. False when it was gone already.
    @discardableResult
    package func crash() -> Bool { recorder.freeze(.asked) }

    /// Unmounts and keeps everything that was written. Files that are still open after the options' patience fail from
    /// then on. Does nothing when it is not mounted.
    package func unmount() throws(MountError) {
        do throws(MountError) {
            try unmount { _ throws(MountError) in }
        } catch {
            if case .notMounted = error { return }
            throw error
        }
    }

    /// Unmounts, and runs `body` while what was kept to undo changes is still there.
    func unmount<Result>(_ body: (PowerCutter?) throws(MountError) -> Result) throws(MountError) -> Result {
        lock.lock()
        defer { lock.unlock() }
        guard case .mounted(let session, let fileSystem, let directory) = state else { throw .notMounted(mountPoint) }
        faults.delays.endForGood()
        detach(session)
        session.stop()
        session.join()
        state = .unmounted(fileSystem)
        // Whatever fails from here on, what is ours goes away.
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

    /// What a crash could lose now by the options' profile, a line for each part.
    private static func unsynced(_ tracker: UnsyncedTracker?) -> String {
        guard let tracker else { return "nothing is recorded\n" }
        return tracker.pending().unsynced().map { $0 + "\n" }.joined()
    }

    /// What programs see and no storage holds.
    private static func words(_ pageCaches: PageCaches, _ table: InodeTable) -> String {
        pageCaches.counts.map { id, held, lost in
            let path = (try? table.node(UInt(id.rawValue))).map { "\(table.path(of: $0))" } ?? "a removed file"
            let waits =
                "held back by a rule until the next sync, lost in any crash: \(held.counted("byte")) of \(path)\n"
            let gone =
                "not what storage holds, though programs still see it: \(lost.counted("byte")) of \(path)\n"
            return (held > 0 ? waits : "") + (lost > 0 ? gone : "")
        }.joined()
    }

    /// The faults that happened so far, in their order: the script of a replay.
    package var injectedFaults: [InjectedFault] { faults.faults }

    // MARK: Steps

    private func detach(_ session: Session) {
        // Whatever a program mounted over ours has to go first: each round takes one mount away.
        for _ in 0..<Self.stackedMountLimit where session.isServing {
            let isDetached = detachTopmost(session)
            for _ in 0..<1000 where session.isServing { usleep(100) }
            if !isDetached || session.isServing && !listed.contains(where: isOurs) { return }
        }
    }

    private static let stackedMountLimit = 64

    /// What the kernel lists at our mount point, the topmost last.
    private var listed: [MountTable.Entry] { ((try? MountTable.read()) ?? []).filter { $0.mountPoint == mountPoint } }

    private func isOurs(_ entry: MountTable.Entry) -> Bool { entry.source == MountTable.source(of: getpid()) }

    /// False when the kernel refused, even by force.
    private func detachTopmost(_ session: Session) -> Bool {
        var waited: UInt32 = 0
        var pause: UInt32 = 100
        while session.isServing {
            let force = Int(waited) >= options.unmountPatienceMilliseconds * 1000
            if force { flushMappings(session) }
            do throws(MountError) {
                if force, let top = listed.last, !isOurs(top) {
                    // Something of others, who may use it elsewhere: force would end it for them, too.
                    try KernelMount.detach(mountPoint, helper: options.helper)
                    return true
                }
                try KernelMount.unmount(mountPoint, helper: options.helper, force: force)
                return true
            } catch {
                // EBUSY: in use. Anything else: it is not mounted any more, and the threads are about to leave.
                if force { return false }
                guard case .system(_, _, EBUSY) = error else { return false }
            }
            // Whoever asked through the control directory is about to close it.
            usleep(pause)
            waited += pause
            pause = min(pause * 2, 10_000)
        }
        return true
    }

    /// Has the kernel send what programs stored into shared mappings: it drops that when a mount is taken away by force.
    /// syncfs(2) begins to write and does not wait: the kernel waits for no server of FUSE there (mm: AS_NO_DATA_INTEGRITY).
    private func flushMappings(_ session: Session) {
        guard !recorder.isFrozen else { return }
        let root = mountPoint.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard root >= 0 else { return }
        _ = faultline_sync_filesystem(root)
        close(root)
        session.waitUntilIdle()
    }

    func makeFileSystem(_ directory: StateDirectory, _ outside: Descriptor, _ descriptorLimit: Int)
        throws(MountError) -> FileSystem
    {
        let root = backing.withCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard root >= 0 else { throw .system(call: "open", path: backing, errno: errno) }
        let descriptor = Descriptor(root)
        var attributes = stat()
        guard fstat(root, &attributes) == 0 else { throw .system(call: "fstat", path: backing, errno: errno) }
        let table = InodeTable(
            root: descriptor, number: UInt64(attributes.st_ino), limbo: recorder.isRecording ? directory.limbo : nil,
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
        let control = makeControl(outside, pageCaches) { Self.unsynced(tracker) + Self.words(pageCaches, table) }
        let fileSystem = FileSystem(
            table: table, recorder: recorder, control: control, undo: undo, faults: faults, tracker: tracker,
            pageCaches: pageCaches, scratch: directory.scratch, syncsBelow: options.syncsBelow && !isInMemory)
        pageCaches.invalidate = { [weak fileSystem] id in fileSystem?.invalidate(id) }
        return fileSystem
    }

    private func makeControl(
        _ outside: Descriptor, _ pageCaches: PageCaches, _ unsynced: @escaping @Sendable () -> String
    ) -> ControlDirectory {
        let refusals = refusals
        let oracle = OracleFile(recorder, outside: outside, refusals: refusals, judge: options.judgeOracleLine)
        self.oracle = oracle
        let commands = Commands(
            recorder: recorder, faults: faults,
            usualCut: options.usualCut,
            crash: { [weak self] request throws(Refusal) in
                guard let self else { throw Refusal(reason: "the mount is gone") }
                return try self.crash(asTold: request)
            }, evict: { pageCaches.evictAll() }, unmount: options.onUnmountRequest,
            labels: { [labels = options.labels] in labels + refusals.lines })
        return ControlDirectory([
            (
                "control",
                CommandFile("control", refusals: refusals) { lines throws(Refusal) in try commands.run(lines) }
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
                    "crash", refusals: refusals, takesOneCommand: true,
                    initially: { [weak self] in self?.cutStory ?? "" }
                ) { words throws(Refusal) in try commands.run(words.map { "crash \($0)" }) }
            ),
        ])
    }

    private func serve(_ fileSystem: FileSystem) throws(MountError) -> Session {
        let device = try KernelMount.mount(mountPoint, allowOther: options.allowOther, helper: options.helper)
        do throws(Errno) {
            let session = try Session(device: device, fileSystem)
            try session.start(
                isInMemory ? .few : .ample, threadLimit: options.threadLimit, onEnd: options.onEnd)
            return session
        } catch {
            try KernelMount.unmount(mountPoint, helper: options.helper, force: true)
            throw .system(call: "FUSE", path: mountPoint, errno: error.code)
        }
    }

    /// The file that oracle lines go to, and whether it was made for that.
    private func openOracle() throws(MountError) -> (Descriptor, isNew: Bool) {
        guard let path = options.oraclePath else {
            let file = faultline_memfd("oracle")
            guard file >= 0 else { throw .system(call: "memfd_create", path: "oracle", errno: -file) }
            return (Descriptor(file), false)
        }
        let (file, isNew): (Int32, Bool)
        do throws(OutputError) { (file, isNew) = try OutputDescriptor.append(path, access: O_RDWR) } catch {
            throw .system(call: "open", path: path, errno: error.errno)
        }
        let descriptor = Descriptor(file)
        do throws(MountError) {
            var attributes = stat()
            guard fstat(file, &attributes) == 0, attributes.st_mode & S_IFMT == S_IFREG else {
                throw .unsupported(path, what: "an oracle is a regular file")
            }
            try refuse(path, "an oracle")
        } catch {
            if isNew { _ = path.withCString { unlink($0) } }
            throw error
        }
        return (descriptor, isNew)
    }

    /// Refuses a file of the harness, which exists, that lies where the target could harm it.
    package func refuse(_ file: ByteString, _ what: String) throws(MountError) {
        let file = try Self.resolve(file)
        for directory in [backing, mountPoint] where Self.isWithin(file, directory) {
            throw .within(file: file, what: what, directory: directory)
        }
    }

    /// Takes out of a backing directory what a mount left there whose daemon was killed. The next `start` does the same.
    package static func clearAbandoned(backing: ByteString) throws(MountError) {
        try StateDirectory.clearAbandoned(in: try resolve(backing))
    }

    /// Whether a mount of this directory lives, wherever it is mounted.
    package static func isMounted(backing: ByteString) -> Bool { StateDirectory.isMounted(backing) }

    // MARK: Paths

    private static func check(_ backing: ByteString, _ mountPoint: ByteString) throws(MountError) {
        for path in [backing, mountPoint] {
            var attributes = stat()
            guard path.withCString({ stat($0, &attributes) }) == 0 else {
                throw .system(call: "stat", path: path, errno: errno)
            }
            guard attributes.st_mode & S_IFMT == S_IFDIR else { throw .notADirectory(path) }
        }
        if isWithin(backing, mountPoint) || isWithin(mountPoint, backing) {
            throw .nested(backing: backing, mountPoint: mountPoint)
        }
        var above = backing.bytes[...]
        while let slash = above.lastIndex(of: UInt8(ascii: "/")), slash > 0 {
            above = above[..<slash]
            if StateDirectory.isMounted(ByteString(above)) {
                throw .backingInUse(ByteString(above), reason: "is mounted already, and \(backing) lies within")
            }
        }
        if try MountTable.read().contains(where: { $0.mountPoint == mountPoint }) { throw .mountPointInUse(mountPoint) }
        guard let stream = mountPoint.withCString({ opendir($0) }) else {
            throw .system(call: "opendir", path: mountPoint, errno: errno)
        }
        defer { closedir(stream) }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        if count > 2 { throw .mountPointNotEmpty(mountPoint) }
    }

    private static func resolve(_ path: ByteString) throws(MountError) -> ByteString {
        guard let resolved = path.withCString({ realpath($0, nil) }) else {
            throw .system(call: "realpath", path: path, errno: errno)
        }
        defer { free(resolved) }
        return ByteString(cString: resolved)
    }

    private static func isWithin(_ path: ByteString, _ directory: ByteString) -> Bool {
        path == directory || path.bytes.starts(with: directory.bytes + [UInt8(ascii: "/")])
    }
}

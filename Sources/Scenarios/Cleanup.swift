import Bytes
import FaultFS
import Glibc
import Storage

/// Takes away what runs left behind that did not come to their end: mounts, then scratch directories, then the mark
/// that they are running. Idempotent.
///
/// Something is ours, and is touched, only if all of this holds: it bears our prefix (a mount: our filesystem type), it
/// belongs to this user, and a record says which process made it, which is dead. Symbolic links are not followed.
/// Everything else is left alone, with the reason. The run directories themselves are results and stay.
package struct Cleanup {
    /// What is asked of the kernel about mounts; tests put something else there.
    package struct Mounts {
        package var list: () throws(MountError) -> [MountTable.Entry]
        package var detach: (ByteString) throws(MountError) -> Void

        package init(
            list: @escaping () throws(MountError) -> [MountTable.Entry],
            detach: @escaping (ByteString) throws(MountError) -> Void
        ) {
            self.list = list
            self.detach = detach
        }

        package static var kernel: Mounts {
            Mounts(
                list: { () throws(MountError) in try MountTable.read() },
                detach: { path throws(MountError) in try MountTable.detach(path) })
        }
    }

    /// One thing that was found, and what came of it.
    package struct Action: Hashable, Sendable {
        package enum Outcome: Hashable, Sendable {
            case unmounted
            case removed
            /// A run whose process died is not running any more.
            case markedInterrupted
            case leftAlone(reason: String)
            case failed(reason: String)
        }

        package var path: ByteString
        package var outcome: Outcome

        package init(_ path: ByteString, _ outcome: Outcome) {
            self.path = path
            self.outcome = outcome
        }

        package var isFailure: Bool { if case .failed = outcome { true } else { false } }
    }

    private let runParents: [ByteString]
    private let scratchParents: [ByteString]
    private let owner: UInt32
    private let isDryRun: Bool
    private let mounts: Mounts
    private var actions: [Action] = []
    private var isScratchSeen: Set<ByteString> = []

    package init(
        runParents: [ByteString], scratchParents: [ByteString] = ScratchSpace.possibleParents(), isDryRun: Bool = false,
        mounts: Mounts = .kernel
    ) {
        self.runParents = runParents
        self.scratchParents = scratchParents
        self.owner = geteuid()
        self.isDryRun = isDryRun
        self.mounts = mounts
    }

    /// Cleans up, or says what it would do, and answers what it found, in order.
    package mutating func run() -> [Action] {
        actions = []
        isScratchSeen = []
        let scratchPrefix = ScratchSpace.prefix(owner: owner)
        let runs = runParents.flatMap { parent in
            let scratch = Set(directories(in: parent, prefix: scratchPrefix))
            return directories(in: parent, prefix: "faultline-").filter { !scratch.contains($0) }
        }
        let dead = runs.compactMap { run in deadRecord(in: run).map { (run, $0) } }
        unmount(dead.map(\.1))
        for (run, record) in dead {
            let failuresBefore = failureCount
            for scratch in record.scratch { removeScratch(scratch) }
            if failureCount == failuresBefore { markInterrupted(run, record) }
        }
        for parent in scratchParents {
            for scratch in directories(in: parent, prefix: scratchPrefix) { removeScratch(scratch) }
        }
        return actions
    }

    private var failureCount: Int { actions.count(where: \.isFailure) }

    // MARK: - Records

    /// The record in a directory, if its process is dead. Everything else is said and left alone; a run that has ended
    /// is neither.
    private mutating func deadRecord(in directory: ByteString) -> RunRecord? {
        do throws(RunDirectoryError) {
            guard let record = try RunRecord(in: directory, ownedBy: owner) else {
                note(directory, .leftAlone(reason: "no record says which process made it"))
                return nil
            }
            guard record.phase == .running else { return nil }
            guard let process = record.process else {
                note(directory, .leftAlone(reason: "its record does not say which process made it"))
                return nil
            }
            switch process.state {
            case .dead: return record
            case .running: note(directory, .leftAlone(reason: "process \(process.pid) still runs"))
            case .unknown:
                note(directory, .leftAlone(reason: "process \(process.pid) belongs to another container"))
            }
        } catch {
            note(directory, .leftAlone(reason: "\(error)"))
        }
        return nil
    }

    private mutating func markInterrupted(_ run: ByteString, _ record: RunRecord) {
        attempt(run, .markedInterrupted) {
            var record = record
            record.phase = .interrupted
            record.process = nil
            record.mounts = []
            record.scratch = []
            try record.write(to: run)
        }
    }

    // MARK: - Mounts

    /// Unmounts what the dead runs had mounted, and every other mount of ours that nobody serves.
    private mutating func unmount(_ dead: [RunRecord]) {
        let entries: [MountTable.Entry]
        do {
            entries = try mounts.list()
        } catch {
            return note("/proc/self/mountinfo", .failed(reason: "\(error)"))
        }
        let detach = mounts.detach
        for entry in entries.reversed() where isLeftBehind(entry, dead) {
            attempt(entry.mountPoint, .unmounted) { try detach(entry.mountPoint) }
        }
    }

    private func isLeftBehind(_ entry: MountTable.Entry, _ dead: [RunRecord]) -> Bool {
        guard entry.isFaultFS, entry.owner == owner else { return false }
        if entry.isAbandoned { return true }
        for record in dead where record.process?.pid == entry.daemon {
            if record.mounts.contains(entry.mountPoint) { return true }
        }
        return false
    }

    // MARK: - Scratch directories

    private mutating func removeScratch(_ scratch: ByteString) {
        guard isScratchSeen.insert(scratch).inserted else { return }
        guard let name = scratch.bytes.split(separator: UInt8(ascii: "/")).last,
            name.starts(with: ScratchSpace.prefix(owner: owner).bytes)
        else { return note(scratch, .leftAlone(reason: "it does not bear our prefix")) }
        guard isOwnDirectory(scratch) else {
            if exists(scratch) { note(scratch, .leftAlone(reason: "it is no directory of this user")) }
            return
        }
        guard let record = deadRecord(in: scratch) else { return }
        for backing in record.backings where exists(backing.appending(component: ".faultline")) {
            attempt(backing.appending(component: ".faultline"), .removed) {
                try FaultMount.clearAbandoned(backing: backing)
            }
        }
        attempt(scratch, .removed) { try TreeRemoval.remove(scratch) }
    }

    // MARK: - Steps

    private mutating func attempt(_ path: ByteString, _ outcome: Action.Outcome, _ body: () throws -> Void) {
        do {
            if !isDryRun { try body() }
            note(path, outcome)
        } catch {
            note(path, .failed(reason: "\(error)"))
        }
    }

    private mutating func note(_ path: ByteString, _ outcome: Action.Outcome) { actions.append(Action(path, outcome)) }

    /// This user's directories in `parent` whose names begin with `prefix`, in bytewise order.
    private func directories(in parent: ByteString, prefix: ByteString) -> [ByteString] {
        guard let stream = parent.withCString({ opendir($0) }) else { return [] }
        defer { closedir(stream) }
        var found: [ByteString] = []
        while let entry = readdir(stream) {
            // An entry is as long as its name, not as long as the structure: never copy it whole.
            let name = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name.assumingMemoryBound(to: CChar.self)))
            if bytes.starts(with: prefix.bytes) { found.append(parent.appending(component: ByteString(bytes))) }
        }
        return found.filter(isOwnDirectory).sorted()
    }

    private func isOwnDirectory(_ path: ByteString) -> Bool {
        var status = stat()
        return path.withCString { lstat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
            && status.st_uid == owner
    }

    private func exists(_ path: ByteString) -> Bool {
        var status = stat()
        return path.withCString { lstat($0, &status) } == 0
    }
}

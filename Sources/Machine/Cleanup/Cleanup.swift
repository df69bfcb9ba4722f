import Block
import Bytes
import FaultFS
import Glibc
import Storage
import Targets

/// Removes the leftovers of killed runs: processes, then mounts, then device-mapper devices and scratch directories; then
/// marks the runs as interrupted. Idempotent.
///
/// Touches only what is Faultline's: it has our prefix (a mount: our filesystem type; a process: our mark; a device: the name
/// of a scratch directory, and its file in there), belongs to
/// this user, and its owner is dead. The owner is dead if the lock on a directory's record is free (`RecordState`), the
/// kernel has ended a mount's connection (`MountConnection`), or a process's starter no longer exists in the namespace
/// of its mark (`StrayProcesses`). All three work across namespaces and containers. Symbolic links are not followed.
/// Everything else is left alone and reported with a reason. Run directories are results and stay.
package struct Cleanup {
    private let runParents: [ByteString]
    private let scratchParents: [ByteString]
    private let owner: UInt32
    private let isDryRun: Bool
    private let mounts: Mounts
    private let processes: Processes
    private let devices: Devices
    private var actions: [Action] = []
    private var isScratchSeen: Set<ByteString> = []
    /// Directories whose owner is dead, locked until the cleanup ends.
    private var abandoned: [ByteString: AbandonedRecord] = [:]

    package init(
        runParents: [ByteString], scratchParents: [ByteString] = ScratchSpace.possibleParents(), isDryRun: Bool = false,
        mounts: Mounts = .kernel, processes: Processes = .kernel, devices: Devices = .kernel
    ) {
        self.runParents = runParents
        self.scratchParents = scratchParents
        self.owner = geteuid()
        self.isDryRun = isDryRun
        self.mounts = mounts
        self.processes = processes
        self.devices = devices
    }

    /// Cleans up, or only plans it in a dry run. Returns the actions in order.
    package mutating func run() -> [Action] {
        actions = []
        isScratchSeen = []
        abandoned = [:]
        let scratchPrefix = ScratchSpace.prefix(owner: owner)
        let runs = runParents.flatMap { parent in
            let scratch = Set(directories(in: parent, prefix: scratchPrefix))
            return directories(in: parent, prefix: "faultline-").filter { !scratch.contains($0) }
        }
        let dead = runs.compactMap { run in claim(run).map { (run, $0.record) } }
        endProcesses()
        unmount()
        for (run, record) in dead {
            let failuresBefore = failureCount
            for scratch in record.scratch {
                uncover(scratch)
                removeScratch(scratch)
            }
            if failureCount == failuresBefore { markInterrupted(run, record) }
        }
        for parent in scratchParents {
            for scratch in directories(in: parent, prefix: scratchPrefix) { removeScratch(scratch) }
        }
        abandoned = [:]
        return actions
    }

    private var failureCount: Int { actions.count(where: \.isFailure) }
}

// MARK: - Records

extension Cleanup {
    /// The record of a directory whose owner is dead, locked until the cleanup ends; else nil. Removes an unfinished
    /// directory, and reports any other one that is left alone, except a finished run.
    private mutating func claim(_ directory: ByteString) -> AbandonedRecord? {
        if let claimed = abandoned[directory] { return claimed }
        do throws(RunDirectoryError) {
            switch try RecordState(of: directory, owner: owner) {
            case .missing:
                if isOwnDirectory(directory), ScratchRemoval.isUnfinished(directory) {
                    attempt(directory, .removed) { try ScratchRemoval.removeUnfinished(directory) }
                } else {
                    note(directory, .leftAlone(reason: "no record says which process made it"))
                }
            case .finished: break
            case .inUse(let reason): note(directory, .leftAlone(reason: reason))
            case .abandoned(let record):
                abandoned[directory] = record
                return record
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

    // MARK: - Processes

    /// The number of consecutive empty sweeps that end the search. More are needed if a process ended before it could
    /// be examined: it may have been a link in a chain.
    private static let (quietSweeps, quietSweepsAfterMisses) = (2, 20)

    /// Kills the processes that dead runs started, and their new children. If processes appear faster than they can be
    /// killed, reports a failure with the last one seen.
    private mutating func endProcesses() {
        let sweep = processes.search()
        let end = ContinuousClock.now + processes.timeLimit
        var (quiet, hasMissed) = (0, false)
        var last: StrayProcesses.Stray?
        while quiet < (hasMissed ? Self.quietSweepsAfterMisses : Self.quietSweeps) {
            var strays: [StrayProcesses.Stray] = []
            do {
                let found = try sweep { stray in
                    strays.append(stray)
                    self.end(stray)
                }
                if found.strayCount > 0 { (quiet, hasMissed) = (0, false) } else { quiet += 1 }
                hasMissed = hasMissed || found.missedCount > 0
            } catch {
                return note("/proc", .leftAlone(reason: "\(error)"))
            }
            if isDryRun { return }
            last = strays.last ?? last
            guard ContinuousClock.now < end else {
                if let last { reportRespawning(last) }
                return
            }
            usleep(500)
        }
    }

    private mutating func reportRespawning(_ stray: StrayProcesses.Stray) {
        let reason =
            "a killed run left processes that start others faster than they can be killed; this was the last one seen: "
            + "call `faultline cleanup` again, or stop what starts them"
        actions.append(Action(.process(stray.process, name: stray.name), .failed(reason: reason)))
    }

    private mutating func end(_ stray: StrayProcesses.Stray) {
        let subject = Action.Subject.process(stray.process, name: stray.name)
        if let reasonNotToKill = stray.reasonNotToKill {
            let reason = "a killed run left it, but \(reasonNotToKill); `kill -9 \(stray.process)` ends it"
            actions.append(Action(subject, .leftAlone(reason: reason)))
        } else if isDryRun {
            actions.append(Action(subject, .ended))
        } else {
            switch processes.end(stray) {
            case .ended: actions.append(Action(subject, .ended))
            case .gone: break
            case .failed(let reason): actions.append(Action(subject, .failed(reason: reason)))
            }
        }
    }

    // MARK: - Mounts

    /// Unmounts every FaultFS mount of this user that is no longer served.
    private mutating func unmount() {
        let entries: [MountTable.Mount]
        do {
            entries = try mounts.list()
        } catch {
            return note("/proc/self/mountinfo", .failed(reason: "\(error)"))
        }
        let detach = mounts.detach
        for entry in entries.reversed() where entry.isFaultFS && entry.owner == owner && entry.daemon != nil {
            switch mounts.connection(entry) {
            case .served: break
            case .ended: attempt(entry.mountPoint, .unmounted) { try detach(entry.mountPoint) }
            case .unknown(let reason):
                // Mounts in scratch space are handled with their directory.
                if !isInScratch(entry) { note(entry.mountPoint, .leftAlone(reason: reason)) }
            }
        }
    }

    private func isInScratch(_ entry: MountTable.Mount) -> Bool {
        scratchParents.contains { entry.isWithin($0) } && entry.mountPoint.bytes.contains(scratchPrefix.bytes)
    }

    // MARK: - Scratch directories

    private var scratchPrefix: ByteString { ScratchSpace.prefix(owner: owner) }

    private func bearsPrefix(_ path: ByteString) -> Bool {
        path.bytes.split(separator: UInt8(ascii: "/")).last?.starts(with: scratchPrefix.bytes) == true
    }

    private func mountsWithin(_ path: ByteString) -> [MountTable.Mount] {
        ((try? mounts.list()) ?? []).filter { $0.isWithin(path) }
    }

    /// Detaches mounts that a target made over a dead run's scratch directory. They hide its record.
    private mutating func uncover(_ scratch: ByteString) {
        guard bearsPrefix(scratch), mountsWithin(scratch).contains(where: { $0.mountPoint == scratch }) else { return }
        attempt(scratch, .unmounted) { try MountTable.detachAll(beneath: scratch) }
    }

    private mutating func removeScratch(_ scratch: ByteString) {
        guard isScratchSeen.insert(scratch).inserted else { return }
        guard bearsPrefix(scratch) else { return note(scratch, .leftAlone(reason: "it does not bear our prefix")) }
        if !isDryRun, mountsWithin(scratch).contains(where: { $0.mountPoint == scratch }) {
            let command = "umount -l " + ReproduceScript.quoted(scratch.shown)
            return note(
                scratch,
                .leftAlone(reason: "something is mounted over it, which hides whose it is; `\(command)` uncovers it"))
        }
        guard isOwnDirectory(scratch) else {
            if exists(scratch) { note(scratch, .leftAlone(reason: "it is no directory of this user")) }
            return
        }
        if ScratchRemoval.isUnfinished(scratch) {
            return attempt(scratch, .removed) { try ScratchRemoval.removeUnfinished(scratch) }
        }
        guard let record = claim(scratch)?.record else { return }
        for backing in record.backings where exists(backing.appending(component: ".faultline")) {
            if FaultMount.isMounted(backing: backing) { continue }
            attempt(backing.appending(component: ".faultline"), .removed) {
                try FaultMount.clearAbandoned(backing: backing)
            }
        }
        let unmounted = Set(actions.filter { $0.outcome == .unmounted }.map(\.subject))
        let inside = mountsWithin(scratch).filter { !unmounted.contains(.path($0.mountPoint)) }
        // Detaching an outermost mount also detaches those beneath it, perhaps a copy of the whole filesystem tree.
        var outermost: [MountTable.Mount] = []
        for entry in inside.sorted(by: { $0.mountPoint.count < $1.mountPoint.count })
        where !outermost.contains(where: { entry.isWithin($0.mountPoint) }) { outermost.append(entry) }
        for entry in outermost {
            attempt(entry.mountPoint, .unmounted) { try MountTable.detachAll(beneath: entry.mountPoint) }
        }
        removeDevices(of: scratch)
        attempt(scratch, .removed) { try ScratchRemoval.remove(scratch) }
    }

    /// Takes the device-mapper devices away that bear the name of a scratch directory and lie on nothing but files in it.
    private mutating func removeDevices(of scratch: ByteString) {
        let name = String(decoding: scratch.bytes.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
        for device in devices.list() where device.name.hasPrefix("\(name)-") {
            let path = ByteString("/dev/mapper/\(device.name)")
            let isInside = device.files.allSatisfy { $0.bytes.starts(with: scratch.bytes + [UInt8(ascii: "/")]) }
            guard isInside, !device.files.isEmpty else {
                note(path, .leftAlone(reason: "it does not lie on a file in \(scratch)"))
                continue
            }
            guard isDryRun || devices.remove(device.name) else {
                let command = "dmsetup remove --force \(ReproduceScript.quoted(device.name))"
                note(path, .failed(reason: "something uses it; when that has ended: `\(command)`"))
                continue
            }
            note(path, .removed)
        }
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
        return found.filter { isOwnDirectory($0) || errno == ENOTCONN }.sorted()
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

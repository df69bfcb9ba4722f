import Bytes
import CPlatform
import Glibc
import Model
import Platform

/// Syncs, with the faults that rules inject.
extension FileSystem {
    func sync(_ handle: UInt64, isData: Bool, _ caller: Caller) throws(Errno) {
        let handle = try Handle.of(handle)
        if let control = handle as? ControlHandle { return try control.flush() }
        guard let file = handle as? OpenFile else { throw Errno(EBADF) }
        try sync(file, isData: isData, caller)
    }

    func sync(_ file: OpenFile, isData: Bool, _ caller: Caller) throws(Errno) {
        let barrier: Barrier = isData ? .fdatasync(file.node.id) : .fsync(file.node.id)
        try sync(barrier, isData ? .fdatasync : .fsync, file.node, file, caller) { () throws(Errno) in
            let number = file.descriptor.rawValue
            try Errno.check(isData ? faultline_fdatasync(number) : faultline_fsync(number))
        }
    }

    func syncDirectory(_ id: UInt, _ handle: UInt64, _ caller: Caller) throws(Errno) {
        if control.owns(id) { return }
        let directory = try OpenDirectory.behind(handle)
        try sync(.fsync(directory.node.id), .fsyncdir, directory.node, nil, caller) { () throws(Errno) in
            let descriptor = try directory.descriptor(table)
            try Errno.check(faultline_fsync(descriptor.rawValue))
        }
    }

    private func sync(
        _ barrier: Barrier, _ kind: OperationKind, _ node: Inode, _ file: OpenFile?, _ caller: Caller,
        _ body: () throws(Errno) -> Void
    ) throws(Errno) {
        // Each open file reports the error of an earlier failed sync once.
        if let file, let error = pageCaches.takeUnreportedError(of: file) { throw Errno(error) }
        guard let needs = faults.needs(kind) else {
            if file != nil { try releaseHeld(of: node, caller.process) }
            try recorder.barrier(barrier, process: caller.process, isVoid: !syncsBelow, body)
            if let tracker {
                table.pruneOrphans(onlyUnchecked: file != nil && !tracker.takeBatchFlag(), tracker.canReach)
            }
            return
        }
        var extent = CallExtent()
        if let file { extent.fileSizeBytes = try size(of: file.descriptor) }
        let id = try recorder.admitBarrier()
        let decisions = decide(kind, id, .inode(node), caller, needs, extent)
        faults.delays.holdReply(decisions.delayNanoseconds, to: caller.process, of: kind)
        for decision in decisions.all { try recorder.recordFault(id, decision.rule) }
        // A lying sync reports success and is not a barrier.
        if case .lie? = decisions.main?.fault { return }
        if case .crash(.before)? = decisions.main?.fault { throw freeze(decisions) }
        // After a failed sync the state is unknown; held writes stay held.
        if case .fail(let error)? = decisions.main?.fault {
            try recorder.begin(id, barrier, caller.process)
            try recorder.end(id, errno: error.rawValue)
            throw Errno(error.rawValue)
        }
        func below() throws(Errno) { if syncsBelow { try body() } }
        if file != nil { try releaseHeld(of: node, caller.process) }
        try recorder.begin(id, barrier, caller.process)
        switch decisions.main?.fault {
        case .lose(let error, let loss)?:
            if let file { try lose(file, error, loss, decisions.main!.rule, caller) }
            try recorder.end(id, errno: error.rawValue)
            if !loss.reportsLate { throw Errno(error.rawValue) }
        case .crash?:
            try recorder.finish(id, below)
            throw freeze(decisions)
        case nil, .delay?, .fail?, .lie?, .short?, .tear?, .drop?, .reorder?, .bitflip?, .misdirect?, .stale?:
            try recorder.finish(id, below)
        }
    }

    private func freeze(_ decisions: Decisions) -> Errno {
        recorder.freeze(.rule(decisions.main?.rule ?? ""))
        return Errno(EIO)
    }

    /// Fails a sync as a filesystem does whose writeback failed: storage goes back to the synced content. The restored
    /// bytes are recorded as writes, so that a later sync makes those durable, not the lost ones. Programs see the old
    /// bytes at once if the filesystem reverts its cache (btrfs); otherwise they see the new bytes until eviction.
    private func lose(
        _ file: OpenFile, _ error: ErrorNumber, _ loss: FsyncLoss, _ rule: ByteString, _ caller: Caller
    ) throws(Errno) {
        let id = file.node.id
        // The caller's descriptor may be read-only.
        let writable = try table.openFile(file.node, flags: O_RDWR)
        try recorder.turn(caller.process) { turn throws(Errno) in
            let backing = BackingFile(fileSystem: self, node: file.node, descriptor: writable, turn: turn)
            try pageCaches.change(id) { cache throws(Errno) in
                try cache.lose(loss, error, rule: rule, reporting: &file.reportedErrors) { cache throws(Errno) in
                    try restore(backing, turn, loss, &cache)
                }
            }
        }
        if loss.revertsAtOnce { invalidate(id) }
    }

    /// Restores the backing file to the content that the trace says was synced.
    private func restore(
        _ backing: BackingFile, _ turn: Recorder.Turn, _ loss: FsyncLoss, _ cache: inout PageCache
    ) throws(Errno) {
        let id = backing.node.id
        guard let tracker, let (current, synced) = tracker.contents(of: id) else { return }
        var wanted = synced
        if !loss.revertsAtOnce { wanted.sizeBytes = current.sizeBytes }
        let patch = ContentPatch(
            file: backing.descriptor.rawValue, path: table.path(of: backing.node), payloads: tracker.payloads)
        for change in ContentPatch.changes(from: current, to: wanted) {
            if !loss.revertsAtOnce, let range = change.range { try cache.keepVisible(range, backing) }
            do throws(MountError) {
                try patch.apply(change) { made throws(MountError) in
                    do throws(Errno) { try Self.record(made, id, turn) } catch {
                        throw .system(call: "record", path: "", errno: error.code)
                    }
                }
            } catch {
                throw Errno(EIO)
            }
        }
    }

    private static func record(_ made: ContentPatch.AppliedChange, _ id: InodeID, _ turn: Recorder.Turn) throws(Errno) {
        switch made {
        case .data(let offset, let bytes): try turn.recordWrite(id, offsetBytes: offset, bytes)
        case .zeros(let range):
            try turn.record(
                .allocate(id, offsetBytes: range.lowerBound, countBytes: UInt64(range.count), .punchHole))
        case .size(let size): try turn.record(.truncate(id, sizeBytes: size))
        }
    }
}

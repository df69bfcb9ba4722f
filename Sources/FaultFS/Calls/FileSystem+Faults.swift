import Bytes
import CPlatform
import Glibc
import Model
import Platform

/// Applies fault rules to calls.
extension FileSystem {
    /// The inode or directory entries that a call is about.
    enum CallTarget {
        case inode(Inode)
        case entry(Inode, ByteString)
        case entries(Inode, ByteString, Inode, ByteString)
    }

    /// Facts about a call that rules may match, beyond its kind and path.
    struct CallExtent {
        var offsetBytes: UInt64 = 0
        var countBytes: UInt64 = 0
        var fileSizeBytes: UInt64 = 0
        var growthBytes: Int64 = 0
        var hasOlderBytes = false
    }

    /// Runs a change within a turn of the recorder. Applies the rules first; `crash after` cuts the power once `body`
    /// is done.
    func change<Result>(
        _ kind: OperationKind, _ target: CallTarget, _ caller: Caller,
        extent: () throws(Errno) -> CallExtent = { () throws(Errno) in CallExtent() },
        _ body: (Recorder.Turn, DrawnFault?) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try recorder.turn(caller.process, isWriteback: caller.isWriteback) { turn throws(Errno) in
            guard let needs = faults.needs(kind) else { return try body(turn, nil) }
            let decisions = decide(kind, turn.id, target, caller, needs, try extent())
            faults.delays.holdReply(decisions.delayNanoseconds, to: caller.process, of: kind)
            let fault = try resolve(decisions, in: turn)
            let result = try body(turn, fault)
            if case .crash(.after)? = fault { throw recorder.cut(.rule(decisions.main?.rule ?? "")) }
            return result
        }
    }

    /// Applies the rules to a query. Throws an injected errno; returns any other fault for the caller to apply.
    func applyRules(
        _ kind: OperationKind, _ target: CallTarget, _ caller: Caller, extent: CallExtent = CallExtent()
    ) throws(Errno) -> DrawnFault? {
        guard let needs = faults.needs(kind) else { return nil }
        let id = faults.nextQueryID(kind)
        let decisions = decide(kind, id, target, caller, needs, extent)
        guard !decisions.isEmpty else { return nil }
        faults.delays.holdReply(decisions.delayNanoseconds, to: caller.process, of: kind)
        for decision in decisions.all { try recorder.recordFault(id, decision.rule) }
        switch decisions.main?.fault {
        case .fail(let error)?: throw Errno(error.rawValue)
        case .crash?:
            recorder.freeze(.rule(decisions.main!.rule))
            throw Errno(EIO)
        case let fault: return fault
        }
    }

    /// Records the decided faults. Throws for errors and `crash before`; returns any other fault.
    private func resolve(_ decisions: Decisions, in turn: Recorder.Turn) throws(Errno) -> DrawnFault? {
        guard !decisions.isEmpty else { return nil }
        for decision in decisions.all { try turn.recordFault(decision.rule) }
        switch decisions.main?.fault {
        case .fail(let error)?: throw Errno(error.rawValue)
        case .crash(.before)?: throw recorder.cut(.rule(decisions.main!.rule))
        case let fault: return fault
        }
    }

    func decide(
        _ kind: OperationKind, _ id: OperationID, _ target: CallTarget, _ caller: Caller, _ needs: FaultNeeds,
        _ extent: CallExtent
    ) -> Decisions {
        let (path, other) = paths(target)
        let attempt = Attempt(
            id: id, kind, process: caller.process,
            processName: needs.processNames ? Self.name(ofProcess: caller.process) : nil,
            offsetBytes: extent.offsetBytes, countBytes: extent.countBytes, fileSizeBytes: extent.fileSizeBytes,
            growthBytes: extent.growthBytes, hasOlderBytes: extent.hasOlderBytes)
        return faults.decide(attempt, path, other)
    }

    private func paths(_ target: CallTarget) -> (ByteString, ByteString?) {
        switch target {
        case .inode(let node): (table.path(of: node), nil)
        case .entry(let parent, let name): (table.path(of: DirectoryEntry(parent.id, name)) ?? name, nil)
        case .entries(let parent, let name, let other, let otherName):
            (
                table.path(of: DirectoryEntry(parent.id, name)) ?? name,
                table.path(of: DirectoryEntry(other.id, otherName)) ?? otherName
            )
        }
    }

    /// The process's name, from proc_pid_comm(5); nil when it has ended.
    private static func name(ofProcess process: Int32) -> ByteString? {
        let file = Glibc.open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var name = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(file, &name, name.count)
        return count > 0 ? ByteString(name[..<count].prefix { $0 != UInt8(ascii: "\n") }) : nil
    }

    func size(of descriptor: SharedDescriptor) throws(Errno) -> UInt64 {
        var attributes = stat()
        try Errno.check(faultline_fstat(descriptor.rawValue, &attributes))
        return UInt64(attributes.st_size)
    }
}

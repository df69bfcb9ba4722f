import Bytes
import CPlatform
import Glibc
import Model

/// Where rules meet calls.
extension FileSystem {
    /// The paths that a call is on.
    enum Target {
        case inode(Inode)
        case entry(Inode, ByteString)
        case entries(Inode, ByteString, Inode, ByteString)
    }

    /// What rules may ask of a call beyond its kind and path.
    struct Extent {
        var offsetBytes: UInt64 = 0
        var countBytes: UInt64 = 0
        var fileSizeBytes: UInt64 = 0
        var growthBytes: Int64 = 0
        var hasOlderBytes = false
    }

    /// Takes a turn for a call that changes something: asks the rules first, and cuts the power afterwards if they say so.
    func change<Result>(
        _ kind: OperationKind, _ target: Target, _ caller: Caller,
        extent: () throws(Errno) -> Extent = { () throws(Errno) in Extent() },
        _ body: (Recorder.Turn, DrawnFault?) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try recorder.turn(caller.process, isWriteback: caller.isWriteback) { turn throws(Errno) in
            guard let needs = faults.needs(kind) else { return try body(turn, nil) }
            let decisions = decide(kind, turn.id, target, caller, needs, try extent())
            faults.delays.holdReply(decisions.delayNanoseconds, to: caller.process, of: kind)
            let fault = try settle(decisions, in: turn)
            let result = try body(turn, fault)
            if case .crash(.after)? = fault { throw recorder.cut(.rule(decisions.main?.rule ?? "")) }
            return result
        }
    }

    /// Asks the rules about a call that changes nothing.
    func ask(
        _ kind: OperationKind, _ target: Target, _ caller: Caller, extent: Extent = Extent()
    ) throws(Errno) -> DrawnFault? {
        guard let needs = faults.needs(kind) else { return nil }
        let id = faults.nextQuestion(kind)
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

    /// Records what the rules decided about the turn's call, and does what is the same for all calls.
    private func settle(_ decisions: Decisions, in turn: Recorder.Turn) throws(Errno) -> DrawnFault? {
        guard !decisions.isEmpty else { return nil }
        for decision in decisions.all { try turn.recordFault(decision.rule) }
        switch decisions.main?.fault {
        case .fail(let error)?: throw Errno(error.rawValue)
        case .crash(.before)?: throw recorder.cut(.rule(decisions.main!.rule))
        case let fault: return fault
        }
    }

    func decide(
        _ kind: OperationKind, _ id: OperationID, _ target: Target, _ caller: Caller, _ needs: FaultNeeds,
        _ extent: Extent
    ) -> Decisions {
        let (path, other) = paths(target)
        let attempt = Attempt(
            id: id, kind, process: caller.process,
            processName: needs.processNames ? Self.name(ofProcess: caller.process) : nil,
            offsetBytes: extent.offsetBytes, countBytes: extent.countBytes, fileSizeBytes: extent.fileSizeBytes,
            growthBytes: extent.growthBytes, hasOlderBytes: extent.hasOlderBytes)
        return faults.decide(attempt, path, other)
    }

    private func paths(_ target: Target) -> (ByteString, ByteString?) {
        switch target {
        case .inode(let node): (table.path(of: node), nil)
        case .entry(let parent, let name): (table.path(of: Entry(parent.id, name)) ?? name, nil)
        case .entries(let parent, let name, let other, let otherName):
            (
                table.path(of: Entry(parent.id, name)) ?? name,
                table.path(of: Entry(other.id, otherName)) ?? otherName
            )
        }
    }

    /// proc_pid_comm(5); nil when the process is gone.
    private static func name(ofProcess process: Int32) -> ByteString? {
        let file = Glibc.open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var name = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(file, &name, name.count)
        return count > 0 ? ByteString(name[..<count].prefix { $0 != UInt8(ascii: "\n") }) : nil
    }

    func size(of descriptor: Descriptor) throws(Errno) -> UInt64 {
        var attributes = stat()
        try Errno.check(faultline_fstat(descriptor.number, &attributes))
        return UInt64(attributes.st_size)
    }
}

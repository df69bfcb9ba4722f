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
    }

    /// Takes a turn for a call that changes something: asks the rules first, and cuts the power afterwards if they say so.
    func change<Result>(
        _ kind: OperationKind, _ target: Target, _ caller: Caller,
        extent: () throws(Errno) -> Extent = { () throws(Errno) in Extent() },
        _ body: (Recorder.Turn, DrawnFault?) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try recorder.turn(caller.process) { turn throws(Errno) in
            guard let needs = faults.needs(kind) else { return try body(turn, nil) }
            let decisions = decide(kind, turn.id, target, caller, needs, try extent())
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
        let id = faults.nextQuestion()
        let decisions = decide(kind, id, target, caller, needs, extent)
        guard !decisions.isEmpty else { return nil }
        faultline_delay_next_write(decisions.delayNanoseconds)
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
        faultline_delay_next_write(decisions.delayNanoseconds)
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
            growthBytes: extent.growthBytes)
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

    // MARK: Faults of data

    /// Carries out a write, or what a fault makes of it; returns how many bytes the caller believes written. What reaches
    /// the file is what is recorded.
    func write(
        _ file: OpenFile, _ data: UnsafeRawBufferPointer, at offset: UInt64, _ fault: DrawnFault?, _ turn: Recorder.Turn
    ) throws(Errno) -> Int {
        switch fault {
        case .short(let count)?:
            let part = UnsafeRawBufferPointer(rebasing: data.prefix(Int(clamping: count)))
            return part.isEmpty ? 0 : try put(file, part, at: offset, turn)
        case .drop?: break
        case .misdirect(let place)?: _ = try put(file, data, at: place, turn)
        case .tear(let lost)?:
            let gap = lost.clamped(to: offset..<offset + UInt64(data.count))
            let (head, tail) = (Int(gap.lowerBound - offset), Int(gap.upperBound - offset))
            if head > 0 { _ = try put(file, UnsafeRawBufferPointer(rebasing: data[..<head]), at: offset, turn) }
            if tail < data.count {
                _ = try put(file, UnsafeRawBufferPointer(rebasing: data[tail...]), at: gap.upperBound, turn)
            }
        default: return try put(file, data, at: offset, turn)
        }
        // The size is as if the write had been whole.
        let end = offset + UInt64(data.count)
        if try size(of: file.descriptor) < end {
            try Errno.check(faultline_ftruncate(file.descriptor.number, off_t(end)))
            try turn.record(.truncate(file.node.id, sizeBytes: end))
        }
        return data.count
    }

    private func put(_ file: OpenFile, _ data: UnsafeRawBufferPointer, at offset: UInt64, _ turn: Recorder.Turn)
        throws(Errno) -> Int
    {
        try undo?.keepRange(of: file.node.id, file.descriptor, offset, UInt64(data.count))
        let written = try Errno.check(
            faultline_pwrite(file.descriptor.number, data.baseAddress, data.count, off_t(offset)))
        try turn.recordWrite(
            file.node.id, offsetBytes: offset, UnsafeRawBufferPointer(rebasing: data.prefix(written)))
        if faultline_privileges_killed() != 0 { try killPrivileges(file.node, file.descriptor, turn) }
        return written
    }

    /// Carries out a read, or what a fault makes of it.
    func read(
        _ file: OpenFile, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ caller: Caller
    ) throws(Errno) -> Int {
        guard faults.isActive, faults.needs(.read) != nil else { return try get(file, buffer, at: offset) }
        let extent = Extent(
            offsetBytes: offset, countBytes: UInt64(buffer.count), fileSizeBytes: try size(of: file.descriptor))
        switch try ask(.read, .inode(file.node), caller, extent: extent) {
        case .short(let count)?:
            return try get(
                file, UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, Int(clamping: count))]),
                at: offset)
        case .misdirect(let place)?: return try get(file, buffer, at: place)
        case .bitflip(let place, let bit, .inFlight)?:
            let count = try get(file, buffer, at: offset)
            if place >= offset, place - offset < UInt64(count) { buffer[Int(place - offset)] ^= 1 << bit }
            return count
        case .bitflip(let place, let bit, .atRest)?:
            try flip(file.node, place, bit, caller)
            return try get(file, buffer, at: offset)
        default: return try get(file, buffer, at: offset)
        }
    }

    private func get(_ file: OpenFile, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(Errno) -> Int
    {
        try Errno.check(
            faultline_pread(file.descriptor.number, buffer.baseAddress, buffer.count, off_t(offset)))
    }

    /// Changes one bit of the file itself. That is a change like any other, and recorded as such.
    private func flip(_ node: Inode, _ place: UInt64, _ bit: UInt8, _ caller: Caller) throws(Errno) {
        let file = OpenFile(node, try table.openFile(node, flags: O_RDWR))
        try recorder.turn(caller.process) { turn throws(Errno) in
            var byte: UInt8 = 0
            let got = try Errno.check(faultline_pread(file.descriptor.number, &byte, 1, off_t(place)))
            guard got == 1 else { return }
            let wrong = [byte ^ 1 << bit]
            try undo?.keepRange(of: node.id, file.descriptor, place, 1)
            try Errno.check(faultline_pwrite(file.descriptor.number, wrong, 1, off_t(place)))
            try turn.recordWrite(node.id, offsetBytes: place, wrong)
        }
        invalidate(node.id)
    }
}

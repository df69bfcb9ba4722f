import Bytes
import CPlatform
import Glibc
import Model

/// Reads and writes, what rules make of them, and where what programs read is not what storage holds.
extension FileSystem {
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
        case .reorder(let rank)?: try hold(file, rank, data, at: offset)
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
            file.node.reached(end)
            try turn.record(.truncate(file.node.id, sizeBytes: end))
        }
        return data.count
    }

    private func put(_ file: OpenFile, _ data: UnsafeRawBufferPointer, at offset: UInt64, _ turn: Recorder.Turn)
        throws(Errno) -> Int
    {
        try keepOlder(file, offset, data.count)
        var written = 0
        if divergence.isEmpty {
            written = try store(file.node, file.descriptor, data, at: offset, turn)
        } else {
            let range = offset..<offset + UInt64(data.count)
            try divergence.write(file.node.id, range) { () throws(Errno) in
                written = try store(file.node, file.descriptor, data, at: offset, turn)
            } save: { place, bytes throws(Errno) in
                try store(file.node, file.descriptor, bytes, at: place, turn)
            }
        }
        if faultline_privileges_killed() != 0 { try killPrivileges(file.node, file.descriptor, turn) }
        return written
    }

    /// Writes to storage and records it.
    private func store(
        _ node: Inode, _ descriptor: Descriptor, _ data: UnsafeRawBufferPointer, at offset: UInt64,
        _ turn: Recorder.Turn
    ) throws(Errno) -> Int {
        try undo?.keepRange(of: node.id, descriptor, offset, UInt64(data.count))
        let written = try Errno.check(
            faultline_pwrite(descriptor.number, data.baseAddress, data.count, off_t(offset)))
        node.reached(offset + UInt64(written))
        try turn.recordWrite(node.id, offsetBytes: offset, UnsafeRawBufferPointer(rebasing: data.prefix(written)))
        return written
    }

    private func store(
        _ node: Inode, _ descriptor: Descriptor, _ bytes: [UInt8], at offset: UInt64, _ turn: Recorder.Turn
    ) throws(Errno) {
        let failure: Errno? = bytes.withUnsafeBytes { bytes in
            do throws(Errno) {
                let written = try store(node, descriptor, bytes, at: offset, turn)
                return written == bytes.count ? nil : Errno(EIO)
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    // MARK: Writes that wait

    private func hold(_ file: OpenFile, _ rank: UInt64, _ data: UnsafeRawBufferPointer, at offset: UInt64) throws(Errno)
    {
        try keepOlder(file, offset, data.count)
        try divergence.hold(file.node.id, rank: rank, data, at: offset)
    }

    /// Writes to storage what is held back of a file, in the order of the ranks, each as an operation of its own.
    func releaseHeld(of node: Inode, _ process: Int32) throws(Errno) {
        guard !divergence.isEmpty, var next = divergence.nextHeld(node.id) else { return }
        let descriptor = try table.openFile(node, flags: O_RDWR)
        while true {
            try recorder.turn(process) { turn throws(Errno) in
                try divergence.release(node.id, next, descriptor) { bytes throws(Errno) in
                    try store(node, descriptor, bytes, at: next.offsetBytes, turn)
                }
            }
            guard let another = divergence.nextHeld(node.id) else { return }
            next = another
        }
    }

    /// The mount ends: nothing waits any longer. What nobody can reach any more goes with it.
    func releaseAllHeld() throws(Errno) {
        for id in divergence.filesWithHeld {
            guard let node = try? table.node(UInt(id.rawValue)) else { continue }
            try releaseHeld(of: node, 0)
        }
    }

    // MARK: Reading

    /// Carries out a read, or what a fault makes of it.
    func read(
        _ file: OpenFile, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ caller: Caller
    ) throws(Errno) -> Int {
        guard faults.isActive, let needs = faults.needs(.read) else { return try get(file, buffer, at: offset) }
        var extent = Extent(
            offsetBytes: offset, countBytes: UInt64(buffer.count), fileSizeBytes: try size(of: file.descriptor))
        if needs.olderBytes {
            extent.hasOlderBytes = divergence.hasOlderBytes(file.node.id, offset..<offset + UInt64(buffer.count))
        }
        switch try ask(.read, .inode(file.node), caller, extent: extent) {
        case .short(let count)?:
            return try get(
                file, UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, Int(clamping: count))]),
                at: offset)
        case .misdirect(let place)?: return try get(file, buffer, at: place)
        case .stale?:
            let count = try get(file, buffer, at: offset)
            try divergence.makeStale(file.node.id, buffer, count, at: offset)
            return count
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
        guard divergence.isEmpty else {
            return try divergence.read(file.node.id, file.descriptor, buffer, at: offset)
        }
        return try Errno.check(
            faultline_pread(file.descriptor.number, buffer.baseAddress, buffer.count, off_t(offset)))
    }

    /// Where a rule makes reads of the file stale: keeps what is about to be written over.
    private func keepOlder(_ file: OpenFile, _ offset: UInt64, _ count: Int) throws(Errno) {
        guard faults.isActive, count > 0, faults.wantsOlderBytes(of: table.path(of: file.node)) else { return }
        try divergence.keepOlder(file.node.id, file.descriptor, offset..<offset + UInt64(count))
    }

    /// Changes one bit of the file itself. That is a change like any other, and recorded as such.
    private func flip(_ node: Inode, _ place: UInt64, _ bit: UInt8, _ caller: Caller) throws(Errno) {
        let descriptor = try table.openFile(node, flags: O_RDWR)
        try recorder.turn(caller.process) { turn throws(Errno) in
            var byte: UInt8 = 0
            let got = try Errno.check(faultline_pread(descriptor.number, &byte, 1, off_t(place)))
            guard got == 1 else { return }
            try store(node, descriptor, [byte ^ 1 << bit], at: place, turn)
        }
        invalidate(node.id)
    }
}

import Bytes
import CPlatform
import Glibc
import Model

/// Reads and writes, and the page caches over them.
extension FileSystem {
    private func backing(_ file: OpenFile, _ turn: Recorder.Turn? = nil) -> BackingFile {
        BackingFile(fileSystem: self, node: file.node, descriptor: file.descriptor, turn: turn)
    }

    /// Carries out a write, or what a fault makes of it; returns how many bytes the caller believes written. What reaches
    /// the file is what is recorded.
    func write(
        _ file: OpenFile, _ data: UnsafeRawBufferPointer, at offset: UInt64, _ fault: DrawnFault?, _ turn: Recorder.Turn
    ) throws(Errno) -> Int {
        let keeping: PageCache.Keeping = keepsOlder(file, data.count) ? .older : []
        let written: Int
        if fault == nil, keeping.isEmpty, pageCaches.isEmpty {
            written = try store(file.node, file.descriptor, data, at: offset, turn)
        } else {
            let backing = backing(file, turn)
            written = try pageCaches.change(file.node.id) { cache throws(Errno) in
                try cache.write(data, at: offset, fault, backing, keeping)
            }
        }
        if faultline_privileges_killed() != 0 { try killPrivileges(file.node, file.descriptor, turn) }
        return written
    }

    /// Writes to storage and records it.
    func store(
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

    /// Whether a rule makes reads of the file stale: what is written over must be kept.
    private func keepsOlder(_ file: OpenFile, _ count: Int) -> Bool {
        faults.isActive && count > 0 && faults.wantsOlderBytes(of: table.path(of: file.node))
    }

    // MARK: Held writes

    /// Writes to storage what is held back of a file, in the order of the ranks, each as an operation of its own.
    func releaseHeld(of node: Inode, _ process: Int32) throws(Errno) {
        guard !pageCaches.isEmpty, pageCaches.look(node.id, { $0.nextHeld != nil }) else { return }
        let descriptor = try table.openFile(node, flags: O_RDWR)
        var isDone = false
        while !isDone {
            isDone = try recorder.turn(process) { turn throws(Errno) in
                let backing = BackingFile(fileSystem: self, node: node, descriptor: descriptor, turn: turn)
                return try pageCaches.change(node.id) { cache throws(Errno) in
                    if let next = cache.nextHeld { try cache.release(next, backing, []) }
                    return cache.nextHeld == nil
                }
            }
        }
    }

    /// The mount ends: nothing is held back any longer. A file that nobody can reach any more goes with it.
    func releaseAllHeld() throws(Errno) {
        for id in pageCaches.filesWithHeld {
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
            extent.hasOlderBytes = pageCaches.hasOlderBytes(file.node.id, offset..<offset + UInt64(buffer.count))
        }
        let fault = try ask(.read, .inode(file.node), caller, extent: extent)
        switch fault {
        case .short(let count)?:
            return try get(
                file, UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, Int(clamping: count))]),
                at: offset)
        case .misdirect(let place)?: return try get(file, buffer, at: place)
        case .bitflip(let place, let bit, .atRest)?: try flip(file.node, place, bit, caller)
        default: break
        }
        return try get(file, buffer, at: offset, fault)
    }

    /// Reads what programs see, or what a fault makes of it.
    private func get(
        _ file: OpenFile, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ fault: DrawnFault? = nil
    ) throws(Errno) -> Int {
        if fault == nil, pageCaches.isEmpty { return try getStored(file, buffer, at: offset) }
        return try pageCaches.look(file.node.id) { cache throws(Errno) in
            let count = try getStored(file, buffer, at: offset)
            try cache.overlay(
                UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset, fault, backing(file))
            return count
        }
    }

    private func getStored(
        _ file: OpenFile, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(Errno) -> Int {
        try Errno.check(faultline_pread(file.descriptor.number, buffer.baseAddress, buffer.count, off_t(offset)))
    }

    /// Changes one bit of the file itself. That is a change like any other, and recorded as such.
    private func flip(_ node: Inode, _ place: UInt64, _ bit: UInt8, _ caller: Caller) throws(Errno) {
        let descriptor = try table.openFile(node, flags: O_RDWR)
        try recorder.turn(caller.process) { turn throws(Errno) in
            let backing = BackingFile(fileSystem: self, node: node, descriptor: descriptor, turn: turn)
            guard let byte = try backing.read(place..<place + 1).first else { return }
            try backing.writeAll([byte ^ 1 << bit], at: place)
        }
        invalidate(node.id)
    }
}

import Bytes
import CPlatform
import Glibc
import Model
import Platform

/// Reads and writes through the page caches.
extension FileSystem {
    private func backing(_ file: OpenFile, _ turn: Recorder.Turn? = nil) -> BackingFile {
        BackingFile(fileSystem: self, node: file.node, descriptor: file.descriptor, turn: turn)
    }

    /// Performs a write as `fault` alters it; returns the byte count to report to the caller. The trace records the
    /// bytes that reach the file.
    func write(
        _ file: OpenFile, _ data: UnsafeRawBufferPointer, at offset: UInt64, _ fault: DrawnFault?, _ turn: Recorder.Turn
    ) throws(Errno) -> Int {
        let keeping: PageCache.Retention = keepsOlder(file, data.count) ? .older : []
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

    /// Writes to the backing file and records the write.
    func store(
        _ node: Inode, _ descriptor: SharedDescriptor, _ data: UnsafeRawBufferPointer, at offset: UInt64,
        _ turn: Recorder.Turn
    ) throws(Errno) -> Int {
        try undo?.saveRange(of: node.id, descriptor, offset, UInt64(data.count))
        let written = try Errno.check(
            faultline_pwrite(descriptor.rawValue, data.baseAddress, data.count, off_t(offset)))
        node.noteReach(offset + UInt64(written))
        try turn.recordWrite(node.id, offsetBytes: offset, UnsafeRawBufferPointer(rebasing: data.prefix(written)))
        return written
    }

    /// Whether a rule may make reads of the file stale, so that overwritten bytes must be kept.
    private func keepsOlder(_ file: OpenFile, _ count: Int) -> Bool {
        faults.isActive && count > 0 && faults.needsOlderBytes(of: table.path(of: file.node))
    }

    // MARK: Held writes

    /// Writes the held writes of a file to storage, in rank order, each as its own operation.
    func releaseHeld(of node: Inode, _ process: Int32) throws(Errno) {
        guard !pageCaches.isEmpty, pageCaches.withCache(node.id, { $0.nextHeld != nil }) else { return }
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

    /// Releases all held writes, for an unmount. Held writes of files that no longer exist are dropped.
    func releaseAllHeld() throws(Errno) {
        for id in pageCaches.filesWithHeld {
            guard let node = try? table.node(UInt(id.rawValue)) else { continue }
            try releaseHeld(of: node, 0)
        }
    }

    // MARK: Reading

    /// Performs a read as the rules alter it.
    func read(
        _ file: OpenFile, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ caller: Caller
    ) throws(Errno) -> Int {
        guard faults.isActive, let needs = faults.needs(.read) else { return try readVisible(file, buffer, at: offset) }
        var extent = CallExtent(
            offsetBytes: offset, countBytes: UInt64(buffer.count), fileSizeBytes: try size(of: file.descriptor))
        if needs.olderBytes {
            extent.hasOlderBytes = pageCaches.hasOlderBytes(file.node.id, offset..<offset + UInt64(buffer.count))
        }
        let fault = try applyRules(.read, .inode(file.node), caller, extent: extent)
        switch fault {
        case .short(let count)?:
            return try readVisible(
                file, UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, Int(clamping: count))]),
                at: offset)
        case .misdirect(let offset)?: return try readVisible(file, buffer, at: offset)
        case .bitflip(let offset, let bit, .atRest)?: try flip(file.node, offset, bit, caller)
        case nil, .bitflip(_, _, .inFlight)?, .stale?, .delay?, .crash?, .fail?, .lose?, .lie?, .tear?, .drop?,
            .reorder?:
            break
        }
        return try readVisible(file, buffer, at: offset, fault)
    }

    /// Reads through the page cache, as `fault` alters it.
    private func readVisible(
        _ file: OpenFile, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64, _ fault: DrawnFault? = nil
    ) throws(Errno) -> Int {
        if fault == nil, pageCaches.isEmpty { return try readStored(file, buffer, at: offset) }
        return try pageCaches.withCache(file.node.id) { cache throws(Errno) in
            let count = try readStored(file, buffer, at: offset)
            try cache.overlay(
                UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset, fault, backing(file))
            return count
        }
    }

    private func readStored(
        _ file: OpenFile, _ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(Errno) -> Int {
        try Errno.check(faultline_pread(file.descriptor.rawValue, buffer.baseAddress, buffer.count, off_t(offset)))
    }

    /// Flips one bit of the backing file. The trace records it as a write.
    private func flip(_ node: Inode, _ offset: UInt64, _ bit: UInt8, _ caller: Caller) throws(Errno) {
        let descriptor = try table.openFile(node, flags: O_RDWR)
        try recorder.turn(caller.process) { turn throws(Errno) in
            let backing = BackingFile(fileSystem: self, node: node, descriptor: descriptor, turn: turn)
            guard let byte = try backing.read(offset..<offset + 1).first else { return }
            try backing.writeAll([byte ^ 1 << bit], at: offset)
        }
        invalidate(node.id)
    }
}

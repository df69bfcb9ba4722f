import CPlatform
import Glibc
import Model
import Platform

/// The backing file under a `PageCache`. Every write and resize is recorded in the trace.
struct BackingFile: PageCacheBacking {
    let fileSystem: FileSystem
    let node: Inode
    let descriptor: SharedDescriptor
    /// nil when the file is only read.
    let turn: Recorder.Turn?

    func sizeBytes() throws(Errno) -> UInt64 { try fileSystem.size(of: descriptor) }

    func read(_ range: Range<UInt64>) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        let count = bytes.withUnsafeMutableBytes {
            faultline_pread(descriptor.rawValue, $0.baseAddress, $0.count, off_t(range.lowerBound))
        }
        bytes.removeLast(range.count - Int(try Errno.check(count)))
        return bytes
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offsetBytes: UInt64) throws(Errno) -> Int {
        try fileSystem.store(node, descriptor, bytes, at: offsetBytes, try requireTurn())
    }

    func writeAll(_ bytes: [UInt8], at offsetBytes: UInt64) throws(Errno) {
        let failure: Errno? = bytes.withUnsafeBytes { bytes in
            do throws(Errno) {
                return try write(bytes, at: offsetBytes) == bytes.count ? nil : Errno(EIO)
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    func resize(to sizeBytes: UInt64) throws(Errno) {
        try Errno.check(faultline_ftruncate(descriptor.rawValue, off_t(sizeBytes)))
        node.noteReach(sizeBytes)
        try requireTurn().record(.truncate(node.id, sizeBytes: sizeBytes))
    }

    func keep(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Payload { try fileSystem.scratch.append(bytes) }

    func kept(_ payload: Payload) throws(Errno) -> [UInt8] {
        do { return try fileSystem.scratch.bytes(of: payload) } catch { throw (error as? Errno) ?? Errno(EIO) }
    }

    private func requireTurn() throws(Errno) -> Recorder.Turn {
        guard let turn else { throw Errno(EBADF) }
        return turn
    }
}

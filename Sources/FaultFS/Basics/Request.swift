import Bytes
import CFuse
import Glibc
import Platform

/// One request of the kernel. It gets exactly one reply.
struct Request: @unchecked Sendable {
    let raw: fuse_req_t

    @inline(__always)
    init(_ raw: fuse_req_t?) { self.raw = raw! }

    /// The filesystem that serves the request.
    @inline(__always)
    var fileSystem: FileSystem {
        Unmanaged<FileSystem>.fromOpaque(fuse_req_userdata(raw)!).takeUnretainedValue()
    }

    @inline(__always)
    var caller: FileSystem.Caller {
        let context = fuse_req_ctx(raw).pointee
        return FileSystem.Caller(process: context.pid, owner: context.uid, group: context.gid)
    }

    /// Only the mount changes the tree, so the kernel may cache for long.
    static let cacheSeconds = 86_400.0

    // A reply fails only when the kernel no longer waits for it. That matters for replies that carry a reference: it
    // must be dropped again.

    @inline(__always)
    func reply(_ error: Errno) { _ = fuse_reply_err(raw, error.code) }

    @inline(__always)
    func replyDone() { _ = fuse_reply_err(raw, 0) }

    /// Runs `body`, which replies; replies with the errno if it throws.
    @inline(__always)
    func answer(_ body: (FileSystem) throws(Errno) -> Void) {
        do throws(Errno) { try body(fileSystem) } catch { reply(error) }
    }

    static func entry(_ found: LookupReply, _ fileSystem: FileSystem) -> fuse_entry_param {
        var entry = fuse_entry_param()
        let isControl = fileSystem.control.owns(found.id)
        entry.ino = fuse_ino_t(found.id)
        entry.attr = found.attributes
        entry.attr_timeout = isControl ? 0 : cacheSeconds
        entry.entry_timeout = cacheSeconds
        return entry
    }

    func reply(_ found: LookupReply, _ fileSystem: FileSystem) {
        var entry = Self.entry(found, fileSystem)
        if fuse_reply_entry(raw, &entry) != 0 { fileSystem.table.forget(found.id, count: 1) }
    }

    /// Replies that there is no such name; the kernel may cache that.
    func replyMissing() {
        var entry = fuse_entry_param()
        entry.entry_timeout = Self.cacheSeconds
        _ = fuse_reply_entry(raw, &entry)
    }

    func reply(_ attributes: stat, isControl: Bool) {
        withUnsafePointer(to: attributes) { _ = fuse_reply_attr(raw, $0, isControl ? 0 : Self.cacheSeconds) }
    }

    func reply(_ bytes: UnsafeRawBufferPointer) {
        _ = fuse_reply_buf(raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
}

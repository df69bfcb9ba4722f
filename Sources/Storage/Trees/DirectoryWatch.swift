import Bytes
import Glibc
import Model

/// Reports changes in watched directories, through inotify(7). Subdirectories need their own watches.
///
/// Reports changed names and attributes, and files that were written, truncated, or closed after being open for writing
/// (which covers shared mappings). Does not report writes through a descriptor or mapping that is still open, or through
/// another name of a file outside of the watched directories. Reading is not reported.
final class DirectoryWatch {
    private let queue: Int32
    private var inodes: [Int32: InodeID] = [:]
    private var watches: [InodeID: Int32] = [:]
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    private static let changes =
        IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
    private static let mask = UInt32(changes) | UInt32(IN_ONLYDIR)

    init() throws(TreeError) {
        queue = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard queue >= 0 else { throw .system(call: "inotify_init1", path: ".", errno: errno) }
    }

    deinit { close(queue) }

    /// Watches a directory; its changes are reported under `inode`.
    func add(_ directory: borrowing DirectoryHandle, as inode: InodeID) throws(TreeError) {
        // Through the descriptor: the path may be too long for a call.
        let watch = inotify_add_watch(queue, "/proc/self/fd/\(directory.descriptor)", Self.mask)
        guard watch >= 0 else { throw .system(call: "inotify_add_watch", path: directory.path, errno: errno) }
        inodes[watch] = inode
        watches[inode] = watch
    }

    func isWatching(_ inode: InodeID) -> Bool { watches[inode] != nil }

    func remove(_ inode: InodeID) {
        guard let watch = watches.removeValue(forKey: inode) else { return }
        inodes[watch] = nil
        // EINVAL if the directory was removed.
        _ = inotify_rm_watch(queue, watch)
    }

    /// The changes since the last call. Throws if the kernel dropped events, or if the root was removed.
    func takeChanges() throws(TreeError) -> DirectoryChanges {
        var changes = DirectoryChanges()
        var isComplete = true
        try forEachEvent { event, name in
            guard event.mask & UInt32(IN_Q_OVERFLOW) == 0 else {
                isComplete = false
                return
            }
            guard let inode = inodes[event.wd] else { return }
            // The removal of any other directory is reported by its parent.
            if event.mask & UInt32(IN_IGNORED) != 0, inode == .root { isComplete = false }
            changes.take(inode, name, mask: event.mask, cookie: event.cookie)
        }
        guard isComplete else { throw .system(call: "inotify (events were dropped)", path: ".", errno: EOVERFLOW) }
        return changes
    }

    /// Discards the changes so far.
    func forgetChanges() throws(TreeError) { try forEachEvent { _, _ in } }

    private func forEachEvent(_ body: (inotify_event, ByteString?) -> Void) throws(TreeError) {
        while true {
            let count = buffer.withUnsafeMutableBytes { read(queue, $0.baseAddress!, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else { throw .system(call: "read (inotify)", path: ".", errno: errno) }
            buffer.withUnsafeBytes { bytes in
                var place = 0
                while place < count {
                    let event = bytes.loadUnaligned(fromByteOffset: place, as: inotify_event.self)
                    let start = place + MemoryLayout<inotify_event>.size
                    place = start + Int(event.len)
                    // Padded with zeros; empty if the event is about the directory itself.
                    let name = bytes[start..<place].prefix { $0 != 0 }
                    body(event, name.isEmpty ? nil : ByteString(name))
                }
            }
        }
    }
}

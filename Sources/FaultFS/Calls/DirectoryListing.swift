import Bytes
import CFuse
import Glibc
import Platform

/// Builds the reply to readdir or readdirplus.
struct DirectoryListing {
    private let request: Request
    private let buffer: UnsafeMutablePointer<CChar>
    private let size: Int
    private let withAttributes: Bool
    private(set) var filled = 0

    init(_ request: Request, _ buffer: UnsafeMutablePointer<CChar>, _ size: Int, _ withAttributes: Bool) {
        self.request = request
        self.buffer = buffer
        self.size = size
        self.withAttributes = withAttributes
    }

    mutating func add(_ directory: OpenDirectory, from offset: Int, _ fileSystem: FileSystem) {
        let table = fileSystem.table
        let entries = directory.entries(at: offset, table)
        if offset <= 0 && !addPlain(".", directory.node.number, S_IFDIR, next: 1) { return }
        if offset <= 1 && !addPlain("..", table.parent(of: directory.node).number, S_IFDIR, next: 2) { return }
        guard offset < entries.count + 2 else { return }
        for index in max(0, offset - 2)..<entries.count {
            let (name, node) = entries[index]
            let next = index + 3
            if withAttributes {
                guard hasRoom(for: name) else { return }
                addReference(name, in: directory.node, next: next, fileSystem)
            } else if !addPlain(name, node.number, node.format, next: next) {
                return
            }
        }
    }

    mutating func addControl(from offset: Int, _ fileSystem: FileSystem) {
        let entries: [(name: ByteString, id: UInt)] = [(".", 0), ("..", 1)] + fileSystem.control.listing
        guard offset < entries.count else { return }
        for index in max(0, offset)..<entries.count {
            let format: mode_t = index < 2 ? S_IFDIR : S_IFREG
            if !addPlain(entries[index].name, UInt64(entries[index].id), format, next: index + 1) { return }
        }
    }

    /// Adds an entry without a kernel reference. False when it does not fit.
    mutating func addPlain(_ name: ByteString, _ number: UInt64, _ format: mode_t, next: Int) -> Bool {
        var entry = fuse_entry_param()
        entry.attr.st_ino = ino_t(number)
        entry.attr.st_mode = format
        return append(name, entry, next: next)
    }

    /// Adds an entry with attributes, which counts as a lookup. Skips it if it was unlinked meanwhile.
    private mutating func addReference(_ name: ByteString, in parent: Inode, next: Int, _ fileSystem: FileSystem) {
        do throws(Errno) {
            var attributes = stat()
            let node = try fileSystem.table.lookUp(name, in: parent, &attributes)
            let found = LookupReply(id: UInt(node.id.rawValue), attributes: attributes)
            if !append(name, Request.entry(found, fileSystem), next: next) {
                fileSystem.table.forget(found.id, count: 1)
            }
        } catch {
            // Unlinked since the snapshot.
        }
    }

    private func hasRoom(for name: ByteString) -> Bool {
        let needed = name.withCString { fuse_add_direntry_plus(request.raw, nil, 0, $0, nil, 0) }
        return needed <= size - filled
    }

    private mutating func append(_ name: ByteString, _ entry: fuse_entry_param, next: Int) -> Bool {
        let room = size - filled
        var entry = entry
        let needed = name.withCString { text in
            withAttributes
                ? fuse_add_direntry_plus(request.raw, buffer + filled, room, text, &entry, off_t(next))
                : fuse_add_direntry(request.raw, buffer + filled, room, text, &entry.attr, off_t(next))
        }
        guard needed <= room else { return false }
        filled += needed
        return true
    }
}

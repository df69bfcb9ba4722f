import Bytes
import CFuse
import CPlatform
import Glibc
import Model
import Platform

/// Replies of a mount of crash states.
extension Request {
    var states: ServedStates { Unmanaged<ServedStates>.fromOpaque(fuse_req_userdata(raw)!).takeUnretainedValue() }

    func answerStates(_ body: (ServedStates) throws(Errno) -> Void) {
        do throws(Errno) { try body(states) } catch { reply(error) }
    }

    /// Runs `body`, which replies, with a node; replies with the errno if it throws.
    func answer(_ id: fuse_ino_t, _ body: (StateNode) throws(Errno) -> Void) {
        answerStates { states throws(Errno) in
            // Nothing can be made beside the states.
            guard id != 1 else { throw Errno(EACCES) }
            try body(try states.node(UInt(id)))
        }
    }

    /// The attributes of a new file.
    func attributes(_ mode: mode_t) -> Attributes {
        Attributes(mode: UInt32(mode & 0o7777), owner: caller.owner, group: caller.group)
    }

    func make(_ kind: NodeKind, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>, _ mode: mode_t) {
        answer(parent) { directory throws(Errno) in
            try reply(directory.state.make(kind, ByteString(cString: name), in: directory, attributes(mode)))
        }
    }

    func unlink(_ parent: fuse_ino_t, _ name: UnsafePointer<CChar>, isDirectory: Bool) {
        answer(parent) { directory throws(Errno) in
            try directory.state.unlink(ByteString(cString: name), in: directory, isDirectory: isDirectory)
            replyDone()
        }
    }

    static func entry(_ node: StateNode) throws(Errno) -> fuse_entry_param {
        var entry = fuse_entry_param()
        entry.ino = fuse_ino_t(node.id)
        entry.attr = try node.state.attributes(node, isAsked: false)
        entry.entry_timeout = cacheSeconds
        return entry
    }

    func reply(_ node: StateNode) throws(Errno) {
        var entry = try Self.entry(node)
        _ = fuse_reply_entry(raw, &entry)
    }

    func replyUncached(_ attributes: stat) { withUnsafePointer(to: attributes) { _ = fuse_reply_attr(raw, $0, 0) } }

    /// Replies with an extended attribute or the list of their names; with the needed size if `size` is 0.
    func reply(list bytes: [UInt8], atMost size: Int) throws(Errno) {
        guard size > 0 else {
            _ = fuse_reply_xattr(raw, bytes.count)
            return
        }
        guard bytes.count <= size else { throw Errno(ERANGE) }
        bytes.withUnsafeBytes { reply($0) }
    }

    static func prepare(_ file: inout fuse_file_info) {
        file.noflush = 1
        if mapsDirectFiles { file.direct_io = 1 } else { file.keep_cache = 1 }
    }

    /// Whether this kernel can map files whose reads bypass its page cache: Linux 6.6.
    private static let mapsDirectFiles: Bool = {
        var name = utsname()
        guard uname(&name) == 0 else { return false }
        let release = withUnsafeBytes(of: &name.release) { ByteString(Array($0.prefix { $0 != 0 })) }
        let numbers = release.bytes.split(separator: UInt8(ascii: ".")).prefix(2).map { part in
            Int(String(decoding: part.prefix { (0x30...0x39).contains($0) }, as: UTF8.self)) ?? 0
        }
        return numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 6)
    }()

    func list(_ directory: OpenStateDirectory, from offset: Int, size: Int) throws(Errno) {
        guard let scratch = faultline_thread_buffer(size) else { throw Errno(ENOMEM) }
        let entries = try directory.entries(at: offset)
        var listing = DirectoryListing(self, scratch.assumingMemoryBound(to: CChar.self), size, false)
        listing.add(entries, of: directory.node, from: offset)
        reply(UnsafeRawBufferPointer(start: scratch, count: listing.filled))
    }
}

extension DirectoryListing {
    /// Adds the entries of a directory of a crash state. Offsets 0 and 1 are "." and "..".
    mutating func add(_ entries: [(name: ByteString, node: StateNode)], of directory: StateNode, from offset: Int) {
        if offset <= 0 && !addPlain(".", directory.id, S_IFDIR, next: 1) { return }
        if offset <= 1 && !addPlain("..", directory.id, S_IFDIR, next: 2) { return }
        guard offset < entries.count + 2 else { return }
        for index in max(0, offset - 2)..<entries.count {
            let (name, node) = entries[index]
            if !addPlain(name, node.id, node.format, next: index + 3) { return }
        }
    }
}

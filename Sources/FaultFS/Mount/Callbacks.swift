import Bytes
import CFuse
import CPlatform
import Glibc
import Platform

/// The libfuse callbacks: each decodes a request, calls `FileSystem`, and sends the reply. Called from many threads.
///
/// Deliberately not implemented, so that the kernel handles them: locks (the kernel keeps them), copy_file_range (it
/// falls back to reads and writes, which are recorded), tmpfile (EOPNOTSUPP), ioctl, poll.
enum Callbacks {
    static func table() -> fuse_lowlevel_ops {
        var table = fuse_lowlevel_ops()
        addSession(&table)
        addNames(&table)
        addAttributes(&table)
        addFiles(&table)
        addDirectories(&table)
        return table
    }

    private static func addSession(_ table: inout fuse_lowlevel_ops) {
        table.`init` = { _, connection in
            let connection = connection!
            let wanted =
                FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO
                | FUSE_CAP_ASYNC_DIO | FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_EXPLICIT_INVAL_DATA
            // Replaces libfuse's defaults. Without FUSE_CAP_ATOMIC_O_TRUNC, O_TRUNC arrives as a setattr, so there is
            // one way to truncate. The write-back cache stays off.
            connection.pointee.want = UInt32(bitPattern: wanted) & connection.pointee.capable
            connection.pointee.max_background = 64
            connection.pointee.congestion_threshold = 48
            connection.pointee.time_gran = 1
        }
        table.forget = { request, id, count in
            let request = Request(request)
            request.fileSystem.table.forget(UInt(id), count: count)
            fuse_reply_none(request.raw)
        }
        table.forget_multi = { request, count, forgets in
            let request = Request(request)
            for index in 0..<count {
                request.fileSystem.table.forget(UInt(forgets![index].ino), count: forgets![index].nlookup)
            }
            fuse_reply_none(request.raw)
        }
        table.statfs = { request, _ in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                var statistics = try fileSystem.statistics(request.caller)
                _ = fuse_reply_statfs(request.raw, &statistics)
            }
        }
    }

    private static func addNames(_ table: inout fuse_lowlevel_ops) {
        table.lookup = { request, parent, name in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                let name = ByteString(cString: name!)
                guard let found = try fileSystem.lookUp(UInt(parent), name, request.caller) else {
                    return request.replyMissing()
                }
                request.reply(found, fileSystem)
            }
        }
        table.readlink = { request, id in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4097) { buffer throws(Errno) in
                    let count = try fileSystem.readLink(
                        UInt(id), UnsafeMutableBufferPointer(rebasing: buffer[..<4096]), request.caller)
                    buffer[count] = 0
                    _ = fuse_reply_readlink(request.raw, buffer.baseAddress)
                }
            }
        }
        table.mkdir = { request, parent, name, mode in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                request.reply(
                    try fileSystem.makeDirectory(UInt(parent), ByteString(cString: name!), mode, request.caller),
                    fileSystem)
            }
        }
        table.mknod = { request, parent, name, mode, _ in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                request.reply(
                    try fileSystem.makeNode(UInt(parent), ByteString(cString: name!), mode, request.caller), fileSystem)
            }
        }
        table.symlink = { request, target, parent, name in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                request.reply(
                    try fileSystem.makeLink(UInt(parent), ByteString(cString: name!), to: target!, request.caller),
                    fileSystem)
            }
        }
        table.link = { request, id, parent, name in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                request.reply(
                    try fileSystem.link(UInt(id), to: UInt(parent), ByteString(cString: name!), request.caller),
                    fileSystem)
            }
        }
        table.unlink = { request, parent, name in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try fileSystem.unlink(UInt(parent), ByteString(cString: name!), isDirectory: false, request.caller)
                request.replyDone()
            }
        }
        table.rmdir = { request, parent, name in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try fileSystem.unlink(UInt(parent), ByteString(cString: name!), isDirectory: true, request.caller)
                request.replyDone()
            }
        }
        table.rename = { request, parent, name, newParent, newName, flags in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try fileSystem.rename(
                    UInt(parent), ByteString(cString: name!), to: UInt(newParent), ByteString(cString: newName!),
                    flags: flags, request.caller)
                request.replyDone()
            }
        }
    }

    private static func addAttributes(_ table: inout fuse_lowlevel_ops) {
        table.getattr = { request, id, _ in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                let attributes = try fileSystem.attributes(UInt(id), request.caller)
                request.reply(attributes, isControl: fileSystem.control.owns(UInt(id)))
            }
        }
        table.setattr = { request, id, attributes, which, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                let changed = try fileSystem.setAttributes(
                    UInt(id), AttributeChanges(attributes!.pointee, which), handle: file?.pointee.fh,
                    request.caller)
                request.reply(changed, isControl: fileSystem.control.owns(UInt(id)))
            }
        }
        table.access = { request, id, mask in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try fileSystem.checkAccess(UInt(id), mask)
                request.replyDone()
            }
        }
        table.getxattr = { request, id, name, size in
            let request = Request(request)
            request.answerList(size) { fileSystem, buffer throws(Errno) in
                try fileSystem.extendedAttribute(UInt(id), name!, buffer, request.caller)
            }
        }
        table.listxattr = { request, id, size in
            let request = Request(request)
            request.answerList(size) { fileSystem, buffer throws(Errno) in
                try fileSystem.extendedAttributes(UInt(id), buffer, request.caller)
            }
        }
        table.setxattr = { request, id, name, value, size, flags in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try fileSystem.setExtendedAttribute(
                    UInt(id), name!, UnsafeRawBufferPointer(start: value, count: size), flags: flags, request.caller)
                request.replyDone()
            }
        }
        table.removexattr = { request, id, name in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try fileSystem.setExtendedAttribute(UInt(id), name!, nil, flags: 0, request.caller)
                request.replyDone()
            }
        }
    }
}

extension Request {
    /// Replies with an extended attribute or the list of their names; with the needed size when `size` is 0.
    func answerList(_ size: Int, _ body: (FileSystem, UnsafeMutableRawBufferPointer) throws(Errno) -> Int) {
        answer { fileSystem throws(Errno) in
            guard size > 0 else {
                let needed = try body(fileSystem, UnsafeMutableRawBufferPointer(start: nil, count: 0))
                _ = fuse_reply_xattr(raw, needed)
                return
            }
            guard let scratch = faultline_thread_buffer(size) else { throw Errno(ENOMEM) }
            let filled = try body(fileSystem, UnsafeMutableRawBufferPointer(start: scratch, count: size))
            reply(UnsafeRawBufferPointer(start: scratch, count: filled))
        }
    }
}

extension AttributeChanges {
    init(_ attributes: stat, _ which: Int32) {
        if which & FUSE_SET_ATTR_MODE != 0 { mode = attributes.st_mode }
        if which & FUSE_SET_ATTR_UID != 0 { owner = attributes.st_uid }
        if which & FUSE_SET_ATTR_GID != 0 { group = attributes.st_gid }
        if which & FUSE_SET_ATTR_SIZE != 0 { sizeBytes = Int64(attributes.st_size) }
        let (omit, now) = (timespec(tv_sec: 0, tv_nsec: 0x3fff_fffe), timespec(tv_sec: 0, tv_nsec: 0x3fff_ffff))
        var accessed = omit
        var modified = omit
        if which & FUSE_SET_ATTR_ATIME != 0 { accessed = attributes.st_atim }
        if which & FUSE_SET_ATTR_ATIME_NOW != 0 { accessed = now }
        if which & FUSE_SET_ATTR_MTIME != 0 { modified = attributes.st_mtim }
        if which & FUSE_SET_ATTR_MTIME_NOW != 0 { modified = now }
        if accessed.tv_nsec != omit.tv_nsec || modified.tv_nsec != omit.tv_nsec { times = (accessed, modified) }
    }
}

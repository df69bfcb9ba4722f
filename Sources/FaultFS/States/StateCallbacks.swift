import Bytes
import CFuse
import CPlatform
import Glibc
import Model
import Platform

/// The libfuse callbacks of a mount of crash states. Called from many threads.
///
/// The kernel keeps names without limit, since each state has nodes of its own, but no attributes: a stat(2) has to be
/// seen. Reads bypass its page cache if such files can still be mapped (Linux 6.6), and nothing is read ahead.
enum StateCallbacks {
    static func table() -> fuse_lowlevel_ops {
        var table = fuse_lowlevel_ops()
        addSession(&table)
        addNames(&table)
        addAttributes(&table)
        addFiles(&table)
        return table
    }

    private static func addSession(_ table: inout fuse_lowlevel_ops) {
        table.`init` = { _, connection in
            let connection = connection!
            let wanted = FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_DIO | FUSE_CAP_EXPLICIT_INVAL_DATA
            // Without FUSE_CAP_READDIRPLUS a listing tells no more than names and types.
            connection.pointee.want = UInt32(bitPattern: wanted) & connection.pointee.capable
            connection.pointee.max_readahead = 0
            connection.pointee.time_gran = 1
        }
        table.forget = { request, _, _ in fuse_reply_none(request) }
        table.forget_multi = { request, _, _ in fuse_reply_none(request) }
        table.statfs = { request, _ in
            var statistics = statvfs()
            (statistics.f_bsize, statistics.f_frsize, statistics.f_namemax) = (4096, 4096, 255)
            (statistics.f_blocks, statistics.f_bfree, statistics.f_bavail) = (1 << 28, 1 << 27, 1 << 27)
            (statistics.f_files, statistics.f_ffree, statistics.f_favail) = (1 << 28, 1 << 27, 1 << 27)
            _ = fuse_reply_statfs(request, &statistics)
        }
    }

    private static func addNames(_ table: inout fuse_lowlevel_ops) {
        table.lookup = { request, parent, name in
            let request = Request(request)
            let name = ByteString(cString: name!)
            if parent == 1 {
                return request.answerStates { states throws(Errno) in
                    guard let root = states.state(name) else { throw Errno(ENOENT) }
                    try request.reply(root)
                }
            }
            request.answer(parent) { directory throws(Errno) in
                guard let node = try directory.state.lookUp(name, in: directory) else { return request.replyMissing() }
                try request.reply(node)
            }
        }
        table.readlink = { request, id in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                try node.state.target(node).withCString { _ = fuse_reply_readlink(request.raw, $0) }
            }
        }
        table.mkdir = { request, parent, name, mode in
            Request(request).make(.directory, parent, name!, mode)
        }
        table.mknod = { request, parent, name, mode, _ in
            let request = Request(request)
            switch mode & S_IFMT {
            case S_IFREG: request.make(.regular, parent, name!, mode)
            case S_IFIFO: request.make(.fifo, parent, name!, mode)
            case S_IFSOCK: request.make(.socket, parent, name!, mode)
            default: request.reply(Errno(EPERM))
            }
        }
        table.symlink = { request, target, parent, name in
            Request(request).make(.symbolicLink(target: ByteString(cString: target!)), parent, name!, 0o777)
        }
        table.link = { request, id, parent, name in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                let directory = try request.states.node(UInt(parent))
                try directory.state.link(node, to: ByteString(cString: name!), in: directory)
                try request.reply(node)
            }
        }
        table.unlink = { request, parent, name in
            Request(request).unlink(parent, name!, isDirectory: false)
        }
        table.rmdir = { request, parent, name in
            Request(request).unlink(parent, name!, isDirectory: true)
        }
        table.rename = { request, parent, name, newParent, newName, flags in
            let request = Request(request)
            request.answer(parent) { directory throws(Errno) in
                guard let mode = RenameMode(rawValue: UInt8(truncatingIfNeeded: flags)), flags < 3 else {
                    throw Errno(EINVAL)
                }
                let newDirectory = try request.states.node(UInt(newParent))
                guard newDirectory.state === directory.state else { throw Errno(EXDEV) }
                try directory.state.rename(
                    ByteString(cString: name!), in: directory, to: ByteString(cString: newName!), in: newDirectory,
                    mode)
                request.replyDone()
            }
        }
    }

    private static func addAttributes(_ table: inout fuse_lowlevel_ops) {
        table.getattr = { request, id, _ in
            let request = Request(request)
            if id == 1 { return request.replyUncached(request.states.rootAttributes) }
            request.answer(id) { node throws(Errno) in
                request.replyUncached(try node.state.attributes(node, isAsked: true))
            }
        }
        table.setattr = { request, id, attributes, which, _ in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                let changes = AttributeChanges(attributes!.pointee, which)
                request.replyUncached(try node.state.setAttributes(node, changes))
            }
        }
        table.getxattr = { request, id, name, size in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                try request.reply(
                    list: node.state.extendedAttribute(node, ByteString(cString: name!)).bytes, atMost: size)
            }
        }
        table.listxattr = { request, id, size in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                try request.reply(list: node.state.extendedAttributeNames(node), atMost: size)
            }
        }
        table.setxattr = { request, id, name, value, size, flags in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                let value = ByteString(UnsafeRawBufferPointer(start: value, count: size))
                try node.state.setExtendedAttribute(node, ByteString(cString: name!), value, flags: flags)
                request.replyDone()
            }
        }
        table.removexattr = { request, id, name in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                try node.state.setExtendedAttribute(node, ByteString(cString: name!), nil, flags: 0)
                request.replyDone()
            }
        }
    }

    private static func addFiles(_ table: inout fuse_lowlevel_ops) {
        table.open = { request, id, file in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                try node.state.open(node, flags: file!.pointee.flags)
                Request.prepare(&file!.pointee)
                _ = fuse_reply_open(request.raw, file)
            }
        }
        table.create = { request, parent, name, mode, file in
            let request = Request(request)
            request.answer(parent) { directory throws(Errno) in
                let node = try directory.state.make(
                    .regular, ByteString(cString: name!), in: directory, request.attributes(mode))
                var entry = try Request.entry(node)
                Request.prepare(&file!.pointee)
                _ = fuse_reply_create(request.raw, &entry, file)
            }
        }
        table.release = { request, _, _ in Request(request).replyDone() }
        table.read = { request, id, size, offset, _ in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                guard let scratch = faultline_thread_buffer(size) else { throw Errno(ENOMEM) }
                let buffer = UnsafeMutableRawBufferPointer(start: scratch, count: size)
                let count = try node.state.read(node, buffer, at: UInt64(offset))
                request.reply(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        table.write = { request, id, data, size, offset, _ in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                try node.state.write(node, UnsafeRawBufferPointer(start: data, count: size), at: UInt64(offset))
                _ = fuse_reply_write(request.raw, size)
            }
        }
        table.fsync = { request, _, _, _ in Request(request).replyDone() }
        table.fallocate = { request, id, mode, offset, length, _ in
            let request = Request(request)
            request.answer(id) { node throws(Errno) in
                let allocation = try Allocation(fallocateMode: mode)
                try node.state.allocate(node, UInt64(offset)..<UInt64(offset + length), allocation)
                request.replyDone()
            }
        }
        table.opendir = { request, id, file in
            let request = Request(request)
            if id == 1 { return request.reply(Errno(EACCES)) }
            request.answer(id) { node throws(Errno) in
                file!.pointee.fh = request.states.handles.hold(OpenStateDirectory(node))
                if fuse_reply_open(request.raw, file) != 0 { request.states.handles.release(file!.pointee.fh) }
            }
        }
        table.releasedir = { request, _, file in
            let request = Request(request)
            request.states.handles.release(file!.pointee.fh)
            request.replyDone()
        }
        table.fsyncdir = { request, _, _, _ in Request(request).replyDone() }
        table.readdir = { request, id, size, offset, file in
            let request = Request(request)
            request.answerStates { _ throws(Errno) in
                guard let directory = try Handle.of(file!.pointee.fh) as? OpenStateDirectory else { throw Errno(EBADF) }
                try request.list(directory, from: Int(offset), size: size)
            }
        }
    }
}

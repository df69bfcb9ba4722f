import Bytes
import CFuse
import CPlatform
import Glibc
import Platform

extension Callbacks {
    static func addFiles(_ table: inout fuse_lowlevel_ops) {
        table.open = { request, id, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                let handle = try fileSystem.open(UInt(id), flags: file!.pointee.flags, request.caller)
                request.replyOpen(handle, file!)
            }
        }
        table.create = { request, parent, name, mode, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                let (found, handle) = try fileSystem.create(
                    UInt(parent), ByteString(cString: name!), mode, flags: file!.pointee.flags, request.caller)
                var entry = Request.entry(found, fileSystem)
                Request.prepare(&file!.pointee, for: handle, in: fileSystem)
                if fuse_reply_create(request.raw, &entry, file) != 0 {
                    fileSystem.handles.release(file!.pointee.fh)
                    fileSystem.table.forget(found.id, count: 1)
                }
            }
        }
        table.release = { request, _, file in
            let request = Request(request)
            request.fileSystem.handles.release(file!.pointee.fh)
            request.replyDone()
        }
        // Only control files get a flush; all others are opened with noflush.
        table.flush = { request, _, file in
            let request = Request(request)
            request.answer { _ throws(Errno) in
                try (Handle.of(file!.pointee.fh) as? ControlHandle)?.flush()
                request.replyDone()
            }
        }
        table.read = { request, _, size, offset, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                guard let scratch = faultline_thread_buffer(size) else { throw Errno(ENOMEM) }
                let buffer = UnsafeMutableRawBufferPointer(start: scratch, count: size)
                let count = try fileSystem.read(file!.pointee.fh, buffer, offset: Int64(offset), request.caller)
                request.reply(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        table.write = { request, _, data, size, offset, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                var caller = request.caller
                // Only shared mappings dirty the kernel's pages: FUSE_WRITEBACK_CACHE is off.
                caller.isWriteback = file!.pointee.writepage != 0
                let written = try fileSystem.write(
                    file!.pointee.fh, UnsafeRawBufferPointer(start: data, count: size), offset: Int64(offset), caller)
                _ = fuse_reply_write(request.raw, written)
            }
        }
        table.fsync = { request, _, isData, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try fileSystem.sync(file!.pointee.fh, isData: isData != 0, request.caller)
                request.replyDone()
            }
        }
        table.fallocate = { request, _, mode, offset, length, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try fileSystem.allocate(
                    file!.pointee.fh, mode: mode, offset: Int64(offset), length: Int64(length), request.caller)
                request.replyDone()
            }
        }
        table.lseek = { request, _, offset, whence, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                let found = try fileSystem.seek(file!.pointee.fh, offset: Int64(offset), whence: whence)
                _ = fuse_reply_lseek(request.raw, off_t(found))
            }
        }
    }

    static func addDirectories(_ table: inout fuse_lowlevel_ops) {
        table.opendir = { request, id, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                request.replyOpen(try fileSystem.openDirectory(UInt(id), request.caller), file!)
            }
        }
        table.releasedir = { request, _, file in
            let request = Request(request)
            request.fileSystem.handles.release(file!.pointee.fh)
            request.replyDone()
        }
        table.fsyncdir = { request, id, _, file in
            let request = Request(request)
            request.answer { fileSystem throws(Errno) in
                try fileSystem.syncDirectory(UInt(id), file!.pointee.fh, request.caller)
                request.replyDone()
            }
        }
        table.readdir = { request, id, size, offset, file in
            Request(request).list(UInt(id), size, Int(offset), file!.pointee.fh, withAttributes: false)
        }
        table.readdirplus = { request, id, size, offset, file in
            Request(request).list(UInt(id), size, Int(offset), file!.pointee.fh, withAttributes: true)
        }
    }
}

extension Request {
    static func prepare(_ file: inout fuse_file_info, for handle: Handle, in fileSystem: FileSystem) {
        file.fh = fileSystem.handles.hold(handle)
        if handle is ControlHandle {
            file.direct_io = 1
        } else if let open = handle as? OpenFile, open.isDirect {
            file.direct_io = 1
            file.noflush = 1
        } else {
            file.keep_cache = 1
            file.noflush = 1
        }
    }

    func replyOpen(_ handle: Handle, _ file: UnsafeMutablePointer<fuse_file_info>) {
        Self.prepare(&file.pointee, for: handle, in: fileSystem)
        let fileSystem = fileSystem
        if fuse_reply_open(raw, file) != 0 { fileSystem.handles.release(file.pointee.fh) }
    }

    func list(_ id: UInt, _ size: Int, _ offset: Int, _ handle: UInt64, withAttributes: Bool) {
        answer { fileSystem throws(Errno) in
            guard let scratch = faultline_thread_buffer(size) else { throw Errno(ENOMEM) }
            var listing = DirectoryListing(self, scratch.assumingMemoryBound(to: CChar.self), size, withAttributes)
            if fileSystem.control.owns(id) {
                listing.addControl(from: offset, fileSystem)
            } else {
                try fileSystem.checkPower()
                _ = try fileSystem.applyRules(.readdir, .inode(OpenDirectory.behind(handle).node), caller)
                listing.add(try OpenDirectory.behind(handle), from: offset, fileSystem)
            }
            reply(UnsafeRawBufferPointer(start: scratch, count: listing.filled))
        }
    }
}

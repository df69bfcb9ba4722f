import Bytes
import CPlatform
import Glibc
import Platform
import Storage

/// A filesystem of ours that is mounted, with nosuid, nodev and noatime. One thread at a time.
///
/// mount(2) and umount(2) are called here, in this process: only for a device whose file no thread of this process serves.
/// What lies on a mount of FaultFS is mounted by a process of its own (`ServedMount`).
package final class BlockMount {
    private let mountPoint: ByteString
    private var isMounted = true

    /// Throws `MountFailure` when the filesystem is at fault.
    package init(_ device: some BlockDevice, _ filesystem: BlockFilesystem, at mountPoint: ByteString) throws {
        self.mountPoint = mountPoint
        try device.requireOurs()
        var result: Int32 = 0
        for attempt in 0..<Self.mountAttempts {
            result = device.path.withCString { device in
                mountPoint.withCString { faultline_mount_device(device, $0, filesystem.type, filesystem.mountOptions) }
            }
            // Somebody who looks for a free loop device claims it for a moment.
            guard result == -EBUSY else { break }
            usleep(UInt32(200) << UInt32(attempt))
        }
        guard result == 0 else { throw MountFailure.error(errno: -result, device.path, filesystem) }
    }

    private static let mountAttempts = 12
    /// So long a mount may be busy.
    private static let timeLimitSeconds = 10

    /// Unmounts. Something that looks at every new mount may hold it for a moment.
    package func end() throws(BlockError) {
        guard isMounted else { return }
        var (waited, pause) = (0, UInt32(200))
        while true {
            let result = mountPoint.withCString { faultline_unmount($0, 0, 0) }
            // EINVAL: somebody else has unmounted it.
            if result == 0 || result == -EINVAL { break }
            guard result == -EBUSY else { throw .system(call: "umount", path: mountPoint, errno: -result) }
            guard waited < Self.timeLimitSeconds * 1_000_000 else {
                throw .busy(mountPoint, seconds: Self.timeLimitSeconds)
            }
            usleep(pause)
            waited += Int(pause)
            pause = min(2 * pause, 100_000)
        }
        isMounted = false
    }

    /// Takes it away, in use or not.
    package func detach() {
        if isMounted { _ = mountPoint.withCString { faultline_unmount($0, 0, 1) } }
        isMounted = false
    }

    deinit { detach() }

    /// Has it write something beside the store's files, whether that works or not.
    package func writeSomething() {
        let probe = mountPoint.appending(component: ".faultline-probe")
        guard let descriptor = try? OutputDescriptor.create(probe) else { return }
        _ = faultline_sync_filesystem(descriptor)
        close(descriptor)
        _ = probe.withCString { unlink($0) }
    }

    /// Why the filesystem takes no write any more; nil where it does. It was mounted to be written.
    package var refusalOfWrites: String? {
        let probe = mountPoint.appending(component: ".faultline-probe")
        do throws(OutputError) {
            close(try OutputDescriptor.create(probe))
            _ = probe.withCString { unlink($0) }
            return nil
        } catch {
            guard [EROFS, EIO, EUCLEAN, EBADMSG].contains(error.errno) else { return nil }
            return "it takes no write any more: \(Errno(error.errno))"
        }
    }
}

extension BlockFilesystem {
    /// Whether the running kernel has it, loaded or as a module that it can load. As root: who may not mount gets true.
    ///
    /// mount(2) looks for the type before it looks at the device, and /dev/null is none that it would take.
    package var isInKernel: Bool {
        faultline_mount_device("/dev/null", "/", type, "") != -ENODEV
    }
}

/// Why a filesystem does not mount, by its own fault: it is damaged.
package struct MountFailure: Error, CustomStringConvertible {
    package var errno: Int32

    package var description: String { "mount: \(Errno(errno))" }

    /// What went wrong: the filesystem, or the machine.
    static func error(errno: Int32, _ device: ByteString, _ filesystem: BlockFilesystem) -> any Error {
        switch errno {
        case ENODEV: BlockError.unknownFilesystem(filesystem.type)
        case EPERM, EACCES, ENOMEM, EBUSY, ENOENT, ENXIO, ENOTBLK, EMFILE, ENFILE, EROFS:
            BlockError.system(call: "mount of \(filesystem.type)", path: device, errno: errno)
        default: MountFailure(errno: errno)
        }
    }
}

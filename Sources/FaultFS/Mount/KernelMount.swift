import Bytes
import CPlatform
import Glibc
import Platform

/// Mounting and unmounting: directly as root (also root of a user namespace), otherwise through fusermount3, which is
/// setuid.
enum KernelMount {
    /// Mounts at `mountPoint` and returns the open /dev/fuse.
    static func mount(_ mountPoint: ByteString, allowOther: Bool, helper: ByteString) throws(MountError) -> Int32 {
        let device = faultline_open_fuse_device()
        guard device >= 0 else {
            throw .noPermission(mountPoint: mountPoint, errno: -device, helper: "/dev/fuse cannot be opened")
        }
        let source = MountTable.source(of: getpid())
        // Without allow_other all callers are our own user, so the backing filesystem checks permissions correctly.
        // default_permissions would make the kernel fetch a directory's attributes after each change.
        let common = allowOther ? ",default_permissions,allow_other" : ""
        let own = "fd=\(device),rootmode=40000,user_id=\(geteuid()),group_id=\(getegid())\(common)"
        let result = source.withCString { source in
            mountPoint.withCString { faultline_mount_fuse(source, $0, own) }
        }
        if result == 0 { return device }
        close(device)
        guard result == -EPERM else { throw .noPermission(mountPoint: mountPoint, errno: -result, helper: "mount(2)") }
        return try mountByHelper(mountPoint, helper, "nosuid,nodev,fsname=\(source),subtype=faultline\(common)")
    }

    private static func mountByHelper(_ mountPoint: ByteString, _ helper: ByteString, _ options: String)
        throws(MountError) -> Int32
    {
        var said = ""
        do throws(Errno) {
            return try MountHelper(helper).mount(mountPoint, options: options, said: &said)
        } catch {
            throw .noPermission(mountPoint: mountPoint, errno: error.code, helper: "\(helper): \(said)")
        }
    }

    /// Detaches the topmost mount there, even if it is in use. Does not abort its FUSE connection, which other mounts
    /// of the same filesystem may use.
    static func detach(_ mountPoint: ByteString, helper: ByteString) throws(MountError) {
        let result = mountPoint.withCString { path in
            let own = faultline_unmount(path, 0, 1)
            guard own == -EPERM else { return own }
            return MountHelper(helper).unmount(mountPoint, isLazy: true) ? 0 : own
        }
        guard result == 0 else { throw .system(call: "umount", path: mountPoint, errno: -result) }
    }

    /// Unmounts. With `force` it unmounts even while in use: open files then fail.
    static func unmount(_ mountPoint: ByteString, helper: ByteString, force: Bool) throws(MountError) {
        let result = mountPoint.withCString { path in
            let own = faultline_unmount(path, force ? 1 : 0, force ? 1 : 0)
            guard own == -EPERM else { return own }
            return MountHelper(helper).unmount(mountPoint, isLazy: force) ? 0 : -EBUSY
        }
        guard result == 0 else { throw .system(call: "umount", path: mountPoint, errno: -result) }
    }
}

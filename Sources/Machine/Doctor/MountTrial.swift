import Bytes
import FaultFS
import Glibc
import Platform

/// A trial of FaultFS: mounts and unmounts an empty directory.
package enum MountTrial {
    /// Returns the error; nil on success. Leaves nothing behind.
    @Sendable package static func run() -> String? {
        do {
            let directory = try ScratchDirectory()
            let problem = mount(in: directory.path)
            do throws(ScratchRemovalError) {
                try directory.remove()
                return problem
            } catch {
                return problem ?? "\(error)"
            }
        } catch {
            return "\(error)"
        }
    }

    private static func mount(in directory: ByteString) -> String? {
        let backing = directory.appending(component: "backing")
        let mountPoint = directory.appending(component: "mount")
        for path in [backing, mountPoint] {
            guard path.withCString({ mkdir($0, 0o700) }) == 0 else {
                return "\(path): mkdir: \(Errno(errno))"
            }
        }
        do throws(MountError) {
            let mount = try FaultMount(backing: backing, mountPoint: mountPoint, options: MountOptions())
            try mount.start()
            try mount.unmount()
            return nil
        } catch {
            return "\(error)"
        }
    }
}

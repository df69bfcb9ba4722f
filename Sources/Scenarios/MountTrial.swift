import Bytes
import FaultFS
import Glibc
import Storage

/// The proof that FaultFS works here: a mount of an empty directory, at once unmounted.
enum MountTrial {
    /// What went wrong; `nil` when it worked. Leaves nothing behind.
    @Sendable static func run() -> String? {
        let template = ScratchSpace.parent().appending(component: "faultline-doctor-XXXXXX")
        var path = template.bytes + [0]
        let isMade = path.withUnsafeMutableBytes {
            mkdtemp($0.assumingMemoryBound(to: CChar.self).baseAddress!) != nil
        }
        guard isMade else { return "\(template): mkdtemp: \(String(cString: strerror(errno)))" }
        let directory = ByteString(path.dropLast())
        let problem = mount(in: directory)
        do throws(TreeError) {
            try TreeRemoval.remove(directory)
            return problem
        } catch {
            return problem ?? "\(error)"
        }
    }

    private static func mount(in directory: ByteString) -> String? {
        let backing = directory.appending(component: "backing")
        let mountPoint = directory.appending(component: "mount")
        for path in [backing, mountPoint] {
            guard path.withCString({ mkdir($0, 0o700) }) == 0 else {
                return "\(path): mkdir: \(String(cString: strerror(errno)))"
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

import Bytes
import CPlatform
import Glibc

/// A filesystem of ours on a device whose file this process serves through FaultFS.
///
/// mount(8) and umount(8) are processes of their own: whoever waits for a served file in the kernel cannot be killed until
/// it is answered, so a thread of the server must never wait there. Whoever works on the mount is another process, too.
package final class ServedMount {
    private let mountPoint: ByteString
    private let filesystem: BlockFilesystem
    private let device: LoopDevice
    private var isMounted = false

    /// Mounts; the device is then the mount's own, and goes with it.
    package init(_ device: LoopDevice, _ filesystem: BlockFilesystem, at mountPoint: ByteString) throws {
        (self.device, self.filesystem, self.mountPoint) = (device, filesystem, mountPoint)
        try device.requireOurs()
        // Somebody who looks for a free loop device claims it for a moment.
        for attempt in 0..<10 where !device.isQuiet { usleep(UInt32(1000) << UInt32(attempt)) }
        let options = (["nosuid", "nodev", "noatime"] + [filesystem.mountOptions]).filter { !$0.isEmpty }
        try FilesystemTool.run(
            ["mount", "-i", "-n", "-t", filesystem.type, "-o", options.joined(separator: ",")],
            [device.path, mountPoint], package: "mount")
        isMounted = true
        device.release()
    }

    deinit { detach() }

    private static let attempts = 50

    /// Unmounts, which writes what was not written, and waits until the device has let go of its file.
    ///
    /// - Returns: what umount(8) complained of, such as an I/O error that a rule injected; nil where it did not.
    @discardableResult
    package func end() throws -> String? {
        var complaint: String?
        for attempt in 1...Self.attempts where isMounted {
            let outcome = try FilesystemTool.outcome(of: ["umount", "-i", "-n"], [mountPoint], package: "mount")
            if outcome.isSuccess {
                isMounted = false
            } else if attempt == Self.attempts {
                throw BlockError.toolFailed(
                    ["umount", "\(mountPoint)"], ending: outcome.ending, said: outcome.said)
            } else {
                complaint = outcome.said
                usleep(UInt32(attempt) * 2000)
            }
        }
        guard device.waitUntilFree(milliseconds: 10_000) else { throw BlockError.busy(device.path, seconds: 10) }
        return complaint
    }

    /// Takes it away, in use or not: its process waits for nothing then.
    package func detach() {
        if isMounted {
            _ = try? FilesystemTool.outcome(of: ["umount", "-i", "-n", "-l"], [mountPoint], package: "mount")
        }
        isMounted = false
        device.release()
    }
}

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
    private let log = KernelLog()
    private var isMounted = false

    /// A filesystem that is not mounted yet. Call `mount`.
    package init(_ device: LoopDevice, _ filesystem: BlockFilesystem, at mountPoint: ByteString) {
        (self.device, self.filesystem, self.mountPoint) = (device, filesystem, mountPoint)
    }

    /// mount(8) failed.
    package struct Refusal: Error, CustomStringConvertible {
        /// What the filesystem and the kernel say.
        package var reaction: FilesystemReaction
        /// What mount(8) said.
        package var failure: BlockError

        package var description: String { "\(failure)" }
    }

    /// Mounts; the device is then the mount's own, and goes with it. Throws `Refusal` if mount(8) fails.
    package func mount() throws {
        try device.requireOurs()
        // Somebody who looks for a free loop device claims it for a moment.
        for attempt in 0..<10 where !device.isQuiet { usleep(UInt32(1000) << UInt32(attempt)) }
        let options = (["nosuid", "nodev", "noatime"] + [filesystem.mountOptions]).filter { !$0.isEmpty }
        do {
            try FilesystemTool.run(
                ["mount", "-i", "-n", "-t", filesystem.type, "-o", options.joined(separator: ",")],
                [device.path, mountPoint], package: "mount")
        } catch let failure as BlockError {
            guard case .toolFailed = failure else { throw failure }
            throw Refusal(reaction: try reaction(), failure: failure)
        }
        isMounted = true
        device.release()
    }

    deinit { detach() }

    private static let attempts = 50

    /// What became of the filesystem since `init`, with the kernel's words since the last call.
    package func reaction() throws -> FilesystemReaction {
        let name = "loop\(device.number)"
        guard isMounted else { return FilesystemReaction(.notMounted, kernelLog: log.complaints(about: name)) }
        return FilesystemReaction(
            try FilesystemReaction.state(at: mountPoint),
            errorCounts: FilesystemReaction.errorCounts(of: filesystem, on: name),
            kernelLog: log.complaints(about: name))
    }

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
                throw BlockError.notUnmounted(mountPoint, said: outcome.said)
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

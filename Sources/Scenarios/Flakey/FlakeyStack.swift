import Block
import Bytes
import Glibc
import Runs
import Storage

/// A new filesystem on a device that can be made to fail: a file, a loop device, a device-mapper device, a mount.
///
/// `end` takes everything away; so does the end of its life. One thread at a time.
final class FlakeyStack {
    let filesystem: BlockFilesystem
    /// The file that holds the device.
    let file: ByteString
    private let flakey: FlakeyDevice
    private let loop: LoopDevice
    private let mountPoint: ByteString
    private var mount: BlockMount?

    private static let unmountSeconds = 10

    /// Makes it, and mounts it.
    ///
    /// - Parameters:
    ///   - place: a new directory in the run's scratch space.
    ///   - name: of the device, beginning with the name of the scratch directory.
    init(_ filesystem: BlockFilesystem, sizeBytes: UInt64, in place: ByteString, named name: String) throws {
        self.filesystem = filesystem
        file = place.appending(component: "disk")
        mountPoint = place.appending(component: "mount")
        guard mountPoint.withCString({ mkdir($0, 0o700) }) == 0 else {
            throw BlockError.system(call: "mkdir", path: mountPoint, errno: errno)
        }
        try FreshFilesystem.make(filesystem, at: file, in: place, mountPoint: mountPoint, sizeBytes: sizeBytes)
        loop = try LoopDevice(file, in: place, isDirect: false)
        flakey = try FlakeyDevice(named: name, over: loop, sizeBytes: sizeBytes)
        mount = try BlockMount(flakey.device, filesystem, at: mountPoint)
    }

    private var device: MappedDevice { flakey.device }

    /// The directory for the store.
    var store: ByteString { mountPoint.appending(component: FreshFilesystem.storeName) }

    /// Why the kernel does not take a fault; nil if it does.
    func problem(with fault: FlakeyFault) throws -> String? { try flakey.problem(with: fault) }

    /// From now on the device fails; with nil it works again.
    func change(to fault: FlakeyFault?) throws { try flakey.change(to: fault) }

    /// What the mounted filesystem does while its device fails; nil if nobody can tell. Where every write fails, it is made
    /// to write something outside of the store's directory: it may not have noticed anything yet.
    func reaction(to fault: FlakeyFault) -> FilesystemReaction.State? {
        if fault.failsEveryWrite { mount?.writeSomething() }
        return try? FilesystemReaction.state(at: mountPoint)
    }

    /// Why the mounted filesystem takes no write; nil where it does.
    var refusalOfWrites: String? { mount?.refusalOfWrites }

    /// Unmounts, whatever the device answers, and waits until the kernel has let go of it: nothing that the filesystem still
    /// wanted to write may reach the device once it works again.
    func unmount() throws {
        guard let mount else { return }
        do throws(BlockError) { try mount.end() } catch { mount.detach() }
        self.mount = nil
        guard device.waitUntilFree(milliseconds: Self.unmountSeconds * 1000) else {
            throw BlockError.busy(mountPoint, seconds: Self.unmountSeconds)
        }
    }

    /// Mounts it again, from what is on the device alone. Throws `MountFailure` if the filesystem is broken.
    func remount() throws {
        try device.dropCache()
        mount = try BlockMount(device, filesystem, at: mountPoint)
    }

    /// What the filesystem's checker says of the device, which must not be mounted; nil where all is well.
    func complaint() throws -> String? { try filesystem.complaint(about: file) }

    /// Takes the mount, the devices and the file behind them away.
    func end() {
        mount?.detach()
        mount = nil
        device.remove()
        loop.release()
        _ = loop.waitUntilFree()
    }

    deinit { end() }
}

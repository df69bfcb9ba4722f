import Bytes
import CPlatform
import Glibc

/// A filesystem without any history, in a file: where a recorded run begins.
package enum FreshFilesystem {
    /// The directory in it that a store gets: the root of some filesystems is not empty (lost+found).
    package static let storeName: ByteString = "store"

    /// Makes `filesystem` in a new file, with an empty directory for the store in it, unmounted and whole.
    ///
    /// mkfs works on that file, which was made here and is in `directory`, and on nothing else: never on a device.
    ///
    /// - Parameters:
    ///   - directory: of this run.
    ///   - mountPoint: an empty directory, where it is mounted for a moment.
    ///   - sizeBytes: of the device; nil for the filesystem's usual size.
    ///   - fill: puts into the store's directory what is there before anything is recorded.
    package static func make(
        _ filesystem: BlockFilesystem, at file: ByteString, in directory: ByteString, mountPoint: ByteString,
        sectorBytes: UInt32 = 4096, sizeBytes: UInt64? = nil,
        fill: (_ store: ByteString) throws -> Void = { _ in }
    ) throws {
        let image = try ImageFile(creating: file, sizeBytes: sizeBytes ?? filesystem.sizeBytes)
        try requireOurs(file, in: directory)
        try FilesystemTool.run(filesystem.makeWords(sectorBytes: sectorBytes), [file], package: filesystem.package)
        let device = try LoopDevice(file, in: directory, blockBytes: sectorBytes, isDirect: false)
        try makeStore(on: device, filesystem, at: mountPoint, fill: fill)
        device.release()
        guard device.waitUntilFree() else { throw BlockError.busy(device.path, seconds: 2) }
        try image.digHoles()
    }

    /// Puts an empty directory for the store into a filesystem that was just made, and fills it.
    package static func makeStore(
        on device: some BlockDevice, _ filesystem: BlockFilesystem, at mountPoint: ByteString,
        fill: (_ store: ByteString) throws -> Void
    ) throws {
        let mount = try BlockMount(device, filesystem, at: mountPoint)
        do {
            let store = mountPoint.appending(component: storeName)
            guard store.withCString({ mkdir($0, 0o777) }) == 0 else {
                throw BlockError.system(call: "mkdir", path: store, errno: errno)
            }
            // Whoever runs the target may write there.
            guard store.withCString({ chmod($0, 0o777) }) == 0 else {
                throw BlockError.system(call: "chmod", path: store, errno: errno)
            }
            try fill(store)
        } catch {
            mount.detach()
            throw error
        }
        try mount.end()
    }

    /// Throws unless `file` is a regular file in `directory` with one name, and no link on the way leads elsewhere.
    static func requireOurs(_ file: ByteString, in directory: ByteString) throws(BlockError) {
        let parent = try RealPath.of(directory)
        var status = stat()
        guard try RealPath.of(file).bytes.starts(with: parent.bytes + [UInt8(ascii: "/")]),
            file.withCString({ lstat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1
        else { throw .notARegularFile(file) }
    }
}

import Bytes

/// The first filesystem of the guest: a static busybox, the first process, and modules of the kernel. Programs are not in
/// it: they are read from the host's files, which the guest shares. Built in memory in a moment, without root.
struct GuestImage {
    /// Loaded before anything else, because without them there is nothing to read.
    private static let needed = ["virtio_pci", "9pnet_virtio", "9p", "overlay"]
    /// Loaded at the start. crc32c_generic: ext4, xfs and btrfs ask for it by a name that no file tells.
    private static let loaded = [
        "crc32c_generic", "loop", "fuse", "dm-mod", "dm-flakey", "dm-log-writes", "virtio_blk",
    ]
    /// Loaded when the kernel asks for the name, as modprobe would.
    private static let onDemand: [(name: String, modules: [String])] = [
        ("fs-ext4", ["ext4"]), ("fs-ext3", ["ext4"]), ("fs-ext2", ["ext4"]), ("fs-xfs", ["xfs"]),
        ("fs-btrfs", ["xxhash_generic", "blake2b_generic", "sha256_generic", "btrfs"]),
        ("fs-f2fs", ["crc32_generic", "f2fs"]), ("dm-delay", ["dm-delay"]), ("dm-dust", ["dm-dust"]),
        ("dm-thin-pool", ["dm-thin-pool"]), ("dm-snapshot", ["dm-snapshot"]),
    ]
    private static let applets = [
        "sh", "cat", "chroot", "insmod", "mkdir", "mount", "mv", "poweroff", "reboot", "rm", "sleep", "sync", "umount",
    ]

    /// The archive.
    ///
    /// - Parameter scratch: a directory of this run, to unpack in.
    static func bytes(_ kernel: GuestKernel, scratch: ByteString) throws -> [UInt8] {
        let modules = try kernel.loadableModules(scratch: scratch)
        let missing = needed.filter { !modules.has($0) }
        guard missing.isEmpty else { throw GuestError.modulesMissing(missing, kernel: kernel.release) }
        var archive = CpioArchive()
        for directory in ["bin", "sbin", "dev", "proc", "sys", "modules", "host", "layer", "share", "system"] {
            archive.add(directory: directory)
        }
        archive.add(characterDevice: "dev/console", major: 5, minor: 1)
        archive.add(file: "bin/busybox", try busybox(), isExecutable: true)
        for name in applets { archive.add(link: "bin/\(name)", to: "busybox") }
        archive.add(file: "init", Array(GuestScript.initialProcess.utf8), isExecutable: true)
        archive.add(file: "sbin/modprobe", Array(GuestScript.moduleLoader.utf8), isExecutable: true)
        var packed: Set<String> = []
        for (name, wanted) in [("boot", needed + loaded)] + onDemand {
            let order = try modules.loadOrder(of: wanted)
            guard !order.isEmpty else { continue }
            for module in order where packed.insert(module.name).inserted {
                archive.add(file: "modules/\(module.name).ko", module.content)
            }
            archive.add(file: "modules/\(name)", Array(order.map { "\($0.name)\n" }.joined().utf8))
        }
        return archive.ended()
    }

    private static func busybox() throws -> [UInt8] {
        guard let path = GuestPrograms.find("busybox") else {
            throw GuestError.programMissing("busybox", package: "busybox-static")
        }
        let bytes = try GuestFile.read(path)
        guard ELFImage(bytes)?.isStatic == true else { throw GuestError.busyboxNotStatic(path) }
        return bytes
    }
}

import Bytes
import Glibc
import Targets

/// The command line of QEMU for a guest.
struct Emulator {
    static let (program, package) = ("qemu-system-x86_64", "qemu-system-x86")

    private let arguments: [ByteString]

    init(
        _ kernel: ByteString, _ files: GuestFiles, memoryMebibytes: Int, _ accelerator: GuestMachine.Accelerator,
        disks: [GuestDisk]
    ) {
        // QEMU's smallest machine, microvm, starts sooner, but loses its timer interrupt on a host with much to do.
        arguments =
            [
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-monitor", "none",
                "-M", "q35,sata=off,smbus=off", "-m", ByteString("\(memoryMebibytes)"),
                "-smp", ByteString("\(Self.processorCount)"),
            ]
            + (accelerator == .kvm ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg", "-cpu", "max"])
            + [
                "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
                "-serial", Self.option("file:", files.console),
                "-kernel", kernel, "-initrd", files.image, "-append", Self.kernelParameters,
            ]
            + Self.share(files.shared, as: "share", isReadOnly: false)
            + Self.share("/", as: "host", isReadOnly: true)
            + disks.enumerated().flatMap { Self.disk($1, number: $0) }
    }

    /// Those of this machine, and no more than the guest makes use of.
    private static var processorCount: Int { min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// A disk with a log. The header of the log is written with each entry, so that a killed QEMU leaves a whole one.
    private static func disk(_ disk: GuestDisk, number: Int) -> [ByteString] {
        let sectors = "logical_block_size=\(GuestDisk.sectorBytes),physical_block_size=\(GuestDisk.sectorBytes)"
        return [
            "-blockdev", option(ByteString("driver=file,node-name=file\(number),filename="), disk.file),
            "-blockdev", option(ByteString("driver=file,node-name=log\(number),filename="), disk.log),
            "-blockdev",
            ByteString(
                "driver=blklogwrites,node-name=disk\(number),file=file\(number),log=log\(number),"
                    + "log-sector-size=\(GuestDisk.sectorBytes),log-super-update-interval=1"),
            "-device", ByteString("virtio-blk-pci,drive=disk\(number),serial=\(disk.serial),\(sectors)"),
        ]
    }

    /// A shared directory. Files that the guest makes belong to this user, whatever the guest says.
    private static func share(_ path: ByteString, as tag: String, isReadOnly: Bool) -> [ByteString] {
        let rest = ",security_model=none,multidevs=remap" + (isReadOnly ? ",readonly=on" : "")
        return [
            "-fsdev", ByteString(option(ByteString("local,id=\(tag),path="), path).bytes + Array(rest.utf8)),
            "-device", ByteString("virtio-9p-pci,fsdev=\(tag),mount_tag=\(tag)"),
        ]
    }

    /// In an option of QEMU, a comma is written twice.
    private static func option(_ name: ByteString, _ path: ByteString) -> ByteString {
        ByteString(name.bytes + path.bytes.flatMap { $0 == UInt8(ascii: ",") ? [$0, $0] : [$0] })
    }

    /// Errors of the kernel are on the console; a panic or an oops ends the guest at once. The rest saves time.
    private static let kernelParameters: ByteString = """
        console=ttyS0 loglevel=4 panic=-1 oops=panic mitigations=off nokaslr cryptomgr.notests \
        random.trust_cpu=on audit=0 8250.nr_uarts=1 rcupdate.rcu_expedited=1
        """

    func start() throws -> ChildProcess {
        guard let program = GuestPrograms.find(Self.program) else {
            throw GuestError.programMissing(Self.program, package: Self.package)
        }
        return try ProcessRunner.start(Command([program] + arguments))
    }
}

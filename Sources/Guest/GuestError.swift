import Bytes
import Platform

/// Why there is no guest, or why it did not do its work. How a command in it ended is no error.
package enum GuestError: Error, Hashable, Sendable {
    /// A program that comes with a Debian package is missing.
    case programMissing(String, package: String)
    /// busybox needs libraries, which the first process of a guest does not have.
    case busyboxNotStatic(ByteString)
    /// No kernel was unpacked in any of these directories.
    case noKernel([ByteString])
    /// A kernel that was asked for by name is not there.
    case unknownKernel(String, known: [String])
    /// Something in the kernel's directory is not as it should be.
    case notAKernel(ByteString, reason: String)
    case damagedModule(ByteString)
    /// The kernel has no module without which the guest cannot work.
    case modulesMissing([String], kernel: String)
    /// A program that unpacks something failed.
    case notUnpacked(ByteString, said: String)
    /// QEMU ended by itself before the guest ran.
    case emulatorFailed(ending: String, said: String)
    /// The guest's first process could not set it up.
    case notSetUp(reason: String)
    /// A word of the command, or a path, has a zero byte or a comma where QEMU takes none.
    case notPassable(ByteString)
    case system(call: String, path: ByteString, errno: Int32)
}

extension GuestError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .programMissing(let name, let package): "\(name) is not found: `sudo apt-get install \(package)`"
        case .busyboxNotStatic(let path):
            "\(path) needs libraries, and the guest takes a static one: `sudo apt-get install busybox-static`"
        case .noKernel(let directories):
            "there is no kernel for the guest in \(directories.map(\.description).joined(separator: " or ")): "
                + "`scripts/setup --guest` gets one"
        case .unknownKernel(let name, let known):
            "there is no kernel \(name): \(known.isEmpty ? "none is" : known.joined(separator: ", ") + " are") there "
                + "(`FAULTLINE_GUEST_KERNEL=\(name) scripts/setup --guest` gets a Debian package)"
        case .notAKernel(let path, let reason): "\(path) is no kernel for the guest: \(reason)"
        case .damagedModule(let path):
            "\(path) is no module of a kernel, or is damaged: remove it, and unpack the kernel again"
        case .modulesMissing(let names, let kernel):
            "the kernel \(kernel) has no \(names.joined(separator: ", ")): the guest takes one of Debian's linux-image-amd64 "
                + "(the cloud kernels lack 9p)"
        case .notUnpacked(let path, let said): "\(path) could not be unpacked: \(said)"
        case .emulatorFailed(let ending, let said):
            "qemu-system-x86_64 \(ending) before the guest ran" + (said.isEmpty ? "" : "; it said: \(said)")
        case .notSetUp(let reason): "the guest could not be set up: \(reason)"
        case .notPassable(let word): "'\(word)' cannot be passed to the guest"
        case .system(let call, let path, let errno): "\(path): \(call): \(Errno(errno))"
        }
    }
}

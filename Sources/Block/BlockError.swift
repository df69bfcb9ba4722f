import Bytes
import Glibc
import Platform

/// What went wrong with a block device or a filesystem of our own, beside what the filesystem itself may have lost.
package enum BlockError: Error, Hashable, Sendable {
    /// A call to the system failed.
    case system(call: String, path: ByteString, errno: Int32)
    /// Every loop device is in use, or none can be had.
    case noLoopDevice(errno: Int32)
    /// The node of a loop device is missing in /dev, as in some containers.
    case noDeviceNode(ByteString, number: Int)
    /// What the kernel says lies behind a device is not the file of ours that should: nothing is done to it.
    case notOurs(device: ByteString, expected: ByteString, found: ByteString?)
    /// A filesystem is made only in a regular file of ours.
    case notARegularFile(ByteString)
    /// This kernel does not know the filesystem, as mount(2) calls it.
    case unknownFilesystem(String)
    /// A program that comes with a filesystem is missing.
    case toolMissing(String, package: String)
    /// Such a program failed, or took too long.
    case toolFailed([String], ending: String, said: String)
    /// umount(8) fails again and again.
    case notUnmounted(ByteString, said: String)
    /// dm-log-writes gave up in the middle of a run: its log was full, or could not be written.
    case logStopped(ByteString)
    /// No disk of this machine has this serial number.
    case noDisk(serial: String)
    /// A mount that does not go away: something works in it.
    case busy(ByteString, seconds: Int)
}

extension BlockError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let path, let errno): "\(path): \(call): \(Errno(errno))"
        case .noLoopDevice(let errno):
            "there is no free loop device: \(Errno(errno)) (`losetup -a` lists those in use; in a "
                + "container: docker run --privileged …)"
        case .noDeviceNode(let path, let number):
            "\(path) is not there, which the kernel offers as the next loop device: `mknod \(path) b 7 \(number)` makes it"
        case .notOurs(let device, let expected, let found):
            "\(device) should have \(expected) behind it and has \(found?.description ?? "nothing"): it is left alone"
        case .notARegularFile(let path): "\(path) is no regular file of ours: no filesystem is made in it"
        case .unknownFilesystem(let type):
            "this kernel has no \(type): `sudo modprobe \(type)`, or the guest's kernel: --machine guest"
        case .toolMissing(let tool, let package): "\(tool) is not found: `sudo apt-get install \(package)`"
        case .toolFailed(let words, let ending, let said):
            "\(words.joined(separator: " ")) \(ending)" + (said.isEmpty ? "" : "; it said: \(said)")
        case .notUnmounted(let path, let said):
            "\(path) could not be unmounted: \(said) (a process may work in it: `fuser -vm \(path)` lists it)"
        case .logStopped(let path):
            "\(path): dm-log-writes stopped logging, because it could not write its log (is there room? `dmesg` says more)"
        case .noDisk(let serial): "there is no disk with the serial number \(serial)"
        case .busy(let path, let seconds):
            "\(path) could not be unmounted within \(seconds) s: a process works in it (`fuser -vm \(path)` lists it)"
        }
    }
}

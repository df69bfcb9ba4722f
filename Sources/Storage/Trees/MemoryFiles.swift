import Bytes
import CPlatform
import Glibc

/// The memory that the files beneath a directory take, where that is in a memory filesystem (tmpfs). Such files belong
/// to no process: they are in nobody's resident set.
package struct MemoryFiles: Sendable {
    package let directory: ByteString

    /// Nil where the directory is on a disk: its files take no memory that the kernel cannot take back.
    package init?(in directory: ByteString) {
        guard directory.withCString({ faultline_is_in_memory($0) }) == 1 else { return nil }
        self.directory = directory
    }

    /// What all files of the filesystem take, whoever has them, in bytes. Costs a system call.
    package var filesystemBytes: Int {
        var space = statvfs()
        guard directory.withCString({ statvfs($0, &space) }) == 0 else { return 0 }
        return Int(space.f_blocks - space.f_bfree) * Int(space.f_frsize)
    }

    /// What the files beneath the directory take, in bytes. Costs a system call or more for each. Files that come and
    /// go meanwhile may count or not; what is mounted beneath it does not count, and is not asked.
    package func countBytes() -> Int {
        guard let root = try? DirectoryHandle(opening: directory) else { return 0 }
        return Self.countBytes(root, depth: 0)
    }

    /// Nobody's store lies deeper, and descriptors are few.
    private static let depthLimit = 64

    private static func countBytes(_ directory: borrowing DirectoryHandle, depth: Int) -> Int {
        guard let names = try? directory.names() else { return 0 }
        var sum = 0
        for name in names {
            var isDirectory: Int32 = 0
            let bytes = name.withCString { faultline_allocated_bytes(directory.descriptor, $0, &isDirectory) }
            guard bytes >= 0 else { continue }
            sum += Int(bytes)
            guard isDirectory != 0, depth < depthLimit else { continue }
            let opened = name.withCString { faultline_open_directory_unless_mounted(directory.descriptor, $0) }
            guard opened >= 0 else { continue }
            sum += countBytes(DirectoryHandle(descriptor: opened, path: directory.child(name)), depth: depth + 1)
        }
        return sum
    }
}

import Bytes
import CPlatform
import Glibc

/// The memory used by files in a memory filesystem (tmpfs). No process's resident set includes it.
package struct MemoryFiles: Sendable {
    package let directory: ByteString

    /// nil when the directory is on a disk: the kernel can reclaim that memory.
    package init?(in directory: ByteString) {
        guard directory.withCString({ faultline_is_in_memory($0) }) == 1 else { return nil }
        self.directory = directory
    }

    /// The memory of all files of the filesystem. Costs one system call.
    package var filesystemBytes: Int {
        var space = statvfs()
        guard directory.withCString({ statvfs($0, &space) }) == 0 else { return 0 }
        return Int(space.f_blocks - space.f_bfree) * Int(space.f_frsize)
    }

    /// The memory of all files below the directory. Costs at least one system call per file. Concurrent changes may be
    /// missed. Does not enter other mounts.
    package func countBytes() -> Int {
        guard let root = try? DirectoryHandle(opening: directory) else { return 0 }
        return Self.countBytes(root, depth: 0)
    }

    /// No store nests deeper, and each level needs a descriptor.
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

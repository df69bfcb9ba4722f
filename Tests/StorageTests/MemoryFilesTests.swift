import Bytes
import Foundation
import Glibc
import Testing

@testable import Storage

/// Memory of files in memory filesystems, which no process's resident set includes.
@Suite(.enabled(if: MemoryFiles(in: "/dev/shm") != nil && access("/dev/shm", W_OK) == 0, "/dev/shm is not in memory"))
final class MemoryFilesTests {
    private let directory = "/dev/shm/faultline-test-memory-\(UUID().uuidString)"

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false) }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func write(_ countBytes: Int, _ name: String) throws {
        try Data(repeating: 1, count: countBytes).write(to: URL(filePath: "\(directory)/\(name)"))
    }

    @Test func `every file beneath the directory counts, a hard link once`() throws {
        let files = try #require(MemoryFiles(in: ByteString(directory)))
        let empty = files.countBytes()
        try write(1 << 20, "one")
        try FileManager.default.createDirectory(atPath: directory + "/a/b", withIntermediateDirectories: true)
        try write(2 << 20, "a/b/two")
        #expect(link(directory + "/one", directory + "/a/again") == 0)
        #expect(symlink("/dev/shm", directory + "/out") == 0)
        #expect(truncate(directory + "/a/b/two", 1 << 40) == 0, "a hole takes no memory")
        let grown = files.countBytes() - empty
        #expect((3 << 20..<4 << 20).contains(grown), "\(grown)")
        #expect(files.filesystemBytes >= grown)
        try FileManager.default.removeItem(atPath: directory + "/a")
        #expect(files.countBytes() - empty < 2 << 20)
    }

    @Test func `a directory on a disk, or none, takes no memory`() {
        #expect(MemoryFiles(in: "/proc") == nil)
        #expect(MemoryFiles(in: ByteString(directory + "/none")) == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only root mounts"))
    func `mounts below the directory do not count`() throws {
        let place = directory + "/mounted"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        try #require(mount("none", place, "tmpfs", 0, "size=8m") == 0)
        defer { umount2(place, Int32(MNT_DETACH)) }
        try write(4 << 20, "mounted/file")
        #expect(try #require(MemoryFiles(in: ByteString(directory))).countBytes() < 1 << 20)
    }
}

import Bytes
import Foundation
import Storage
import Testing

/// Trees that are hard to remove.
struct TreeRemovalTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private static let isRoot = geteuid() == 0

    private func make(_ name: String) throws -> String {
        let path = scratch.path + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func write(_ path: String) throws { try Data("x".utf8).write(to: URL(filePath: path)) }

    @discardableResult
    private func call(_ arguments: String...) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    @Test(.enabled(if: isRoot, "only root may mount")) func `a mount inside is neither entered nor changed`()
        throws
    {
        let tree = try make("tree")
        let mountPoint = try make("tree/a")
        try write(try make("tree/b") + "/file")
        let precious = try make("precious")
        try write(precious + "/keep")
        #expect(chmod(precious, 0o751) == 0)
        try #require(try call("mount", "--bind", precious, mountPoint))
        defer { _ = try? call("umount", mountPoint) }
        #expect(throws: TreeError.mountPoint(ByteString(mountPoint))) { try TreeRemoval.remove(ByteString(tree)) }
        #expect(exists(precious + "/keep"))
        var attributes = stat()
        #expect(stat(precious, &attributes) == 0 && attributes.st_mode & 0o777 == 0o751)
        // The rest is removed.
        #expect(!exists(tree + "/b") && exists(mountPoint))
        #expect(try call("umount", mountPoint))
        try TreeRemoval.remove(ByteString(tree))
        #expect(!exists(tree))
    }

    @Test(.enabled(if: isRoot, "only root may mount")) func `a directory that is mounted over is not emptied`() throws {
        let (tree, precious) = (try make("tree"), try make("precious"))
        try write(precious + "/keep")
        try #require(try call("mount", "--bind", precious, tree))
        defer { _ = try? call("umount", tree) }
        #expect(throws: TreeError.mountPoint(ByteString(tree))) { try TreeRemoval.remove(ByteString(tree)) }
        #expect(exists(precious + "/keep"))
    }

    @Test(.enabled(if: isRoot, "only root may set these flags"), arguments: ["+i", "+a"])
    func `immutable and append-only files and directories are removed`(flag: String) throws {
        let tree = try make("tree")
        for path in [tree, try make("tree/inner"), try make("tree/empty")] {
            if path != tree + "/empty" { try write(path + "/file") }
        }
        let marked = ["/file", "/inner/file", "/inner", "/empty", ""].map { tree + $0 }
        defer { for path in marked.reversed() { _ = try? call("chattr", "-ia", path) } }
        for path in marked {
            guard try call("chattr", flag, path) else {
                return print("SKIPPED: \(scratch.path) is on a filesystem without chattr \(flag)")
            }
        }
        try TreeRemoval.remove(ByteString(tree))
        #expect(!exists(tree))
    }

    /// Deeper than PATH_MAX, and more levels than a process may have descriptors.
    @Test func `a very deep tree is removed with few descriptors`() throws {
        // In memory if possible, for speed.
        let tree = (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : scratch.path) + "/faultline-test-\(UUID().uuidString)"
        #expect(mkdir(tree, 0o700) == 0)
        var limits = rlimit()
        #expect(getrlimit(__rlimit_resource_t(7), &limits) == 0)  // RLIMIT_NOFILE
        let depth = min(limits.rlim_cur, 24_000) + 1000
        var directory = open(tree, O_RDONLY | O_DIRECTORY)
        for _ in 0..<depth {
            #expect(mkdirat(directory, "d", 0o700) == 0)
            let next = openat(directory, "d", O_RDONLY | O_DIRECTORY)
            close(directory)
            directory = next
        }
        // Only root can move a directory without write permission on it.
        #expect(fchmod(directory, 0o500) == 0)
        close(directory)
        try TreeRemoval.remove(ByteString(tree))
        #expect(!exists(tree))
    }

    @Test func `files to remove last stay when something else does`() throws {
        let tree = try make("tree")
        for name in ["record", "other"] { try write(tree + "/" + name) }
        try TreeRemoval.remove(ByteString(tree), last: ["record", "never there"])
        #expect(!exists(tree))
    }

    @Test(.enabled(if: isRoot, "only root may mount")) func `the last files stay when a mount is inside`() throws {
        let tree = try make("tree")
        for name in ["record", "other"] { try write(tree + "/" + name) }
        let mountPoint = try make("tree/mounted")
        try #require(try call("mount", "-t", "tmpfs", "faultline-test", mountPoint))
        defer { _ = try? call("umount", mountPoint) }
        #expect(throws: TreeError.self) { try TreeRemoval.remove(ByteString(tree), last: ["record"]) }
        #expect(exists(tree + "/record") && !exists(tree + "/other"))
    }

    @Test func `a missing directory is not an error, a file is`() throws {
        try TreeRemoval.remove(ByteString(scratch.path + "/nothing"))
        try TreeRemoval.remove(ByteString(scratch.path + "/no/thing"))
        try write(scratch.path + "/file")
        #expect(throws: TreeError.self) { try TreeRemoval.remove(ByteString(scratch.path + "/file")) }
        #expect(exists(scratch.path + "/file"))
    }

    @Test(arguments: ["relative", "relative/"]) func `a path may be relative and end with a slash`(name: String) throws
    {
        let name = "faultline-test-\(UUID().uuidString)-" + name
        try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: false)
        try TreeRemoval.remove(ByteString(name))
        #expect(!exists(name))
    }
}

import Bytes
import Foundation
import Glibc
import Model
import Testing

@testable import Storage

/// Copies from untrusted sources have no dangerous attributes.
struct ForeignTreeTests {
    private let source = Scratch()
    private let scratch = Scratch()
    private var copy: ByteString { scratch.path.appending(component: "copy") }

    private func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(source.path)/\(name)"))
    }

    private func status(_ name: String) -> stat {
        var status = stat()
        _ = lstat("\(copy)/\(name)", &status)
        return status
    }

    @Test func `user extended attributes are copied`() throws {
        try write("x", to: "file")
        let file = open("\(source.path)/file", O_RDONLY)
        defer { close(file) }
        var attributes = try FileAttributes(of: file, source.path)
        attributes.extended = ["user.faultline": Array("value".utf8), "security.faultline": [1]]
        // Some filesystems have no extended attributes.
        guard (try? attributes.apply(to: file, source.path)) != nil else { return }
        try TreeCopy.copy(source.path, to: copy)
        let copied = open("\(copy)/file", O_RDONLY)
        defer { close(copied) }
        #expect(try FileAttributes(of: copied, copy).extended == ["user.faultline": Array("value".utf8)])
    }

    /// A foreign program must not run with another user's privileges.
    @Test func `set-user-ID is not copied`() throws {
        try write("x", to: "file")
        #expect(chmod("\(source.path)/file", 0o6755) == 0)
        try TreeCopy.copy(source.path, to: copy)
        #expect(status("file").st_mode & 0o7777 == 0o755)
    }

    @Test func `a link to a directory and a device are errors`() throws {
        try write("precious", to: "file")
        let link = scratch.path.appending(component: "link")
        #expect(symlink("\(source.path)", "\(link)") == 0)
        #expect(throws: TreeError.self) { try TreeCopy.copy(link, to: copy) }
        guard geteuid() == 0 else { return }
        let device = source.path.appending(component: "device")
        #expect(mknod("\(device)", S_IFCHR | 0o600, 1 << 8 | 3) == 0)
        #expect(throws: TreeError.notRegularFile(device)) { try TreeCopy.copy(source.path, to: copy) }
    }

    @Test func `a skeleton has every name and follows no link`() throws {
        try FileManager.default.createDirectory(atPath: "\(source.path)/d", withIntermediateDirectories: false)
        try write("x", to: "d/file")
        #expect(symlink("\(scratch.path)", "\(source.path)/link") == 0)
        #expect(symlink("../link/x", "\(source.path)/d/in") == 0)
        let tree = try Tree(skeletonOf: source.path)
        #expect(tree.reachable().map(\.path) == ["", "d", "d/file", "d/in", "link"])
        #expect(tree.escapingLinks().map(\.path) == ["d/in", "link"])
    }

    @Test func `one file is removed by its path, never through a link`() throws {
        try FileManager.default.createDirectory(atPath: "\(source.path)/d", withIntermediateDirectories: false)
        for name in ["d/file", "d/other"] { try write("x", to: name) }
        #expect(symlink("d", "\(source.path)/link") == 0)
        try TreeRemoval.remove(file: "d/file", beneath: source.path)
        #expect(throws: TreeError.self) { try TreeRemoval.remove(file: "link/other", beneath: source.path) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(source.path)/d") == ["other"])
    }
}

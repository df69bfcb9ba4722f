import Bytes
import Foundation
import Testing

@testable import Storage

/// The effect of an output on an existing file, device or link. Each test uses its own directory, with its own device
/// nodes.
struct OutputFileTests {
    private let directory: ScratchDirectory

    /// Minor numbers of the memory devices: 3 is null, 7 is full.
    private static func device(_ minor: dev_t) -> dev_t { 1 << 8 | minor }

    init() throws { directory = try ScratchDirectory() }

    private func put(_ text: String, _ name: String, _ mode: OutputFile.Mode = .replace) throws(OutputError) {
        let output = try OutputFile(directory.file(name), mode)
        try output.write(Array(text.utf8))
        try output.commit()
    }

    private func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(directory.file(name))").map { String(decoding: $0, as: UTF8.self) }
    }

    private func status(_ name: String) -> stat? {
        var status = stat()
        return lstat("\(directory.file(name))", &status) == 0 ? status : nil
    }

    /// The names in the directory, which would show leftovers.
    private var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()) ?? []
    }

    // MARK: Regular files and new names

    @Test func `a new name appears when the output is committed, and not before`() throws {
        let output = try OutputFile(directory.file("new"), .replace, permissions: 0o640)
        try output.write(Array("one ".utf8))
        #expect(names == [])
        try output.write(Array("two".utf8))
        try output.commit()
        #expect(text("new") == "one two")
        #expect(names == ["new"])
        let mask = umask(0)
        umask(mask)
        #expect(try #require(status("new")).st_mode & 0o777 == 0o640 & ~mask)
    }

    @Test func `the old file stays intact until the commit, and keeps its permissions`() throws {
        try put("before", "file")
        chmod("\(directory.file("file"))", 0o604)
        let inode = status("file")?.st_ino
        let output = try OutputFile(directory.file("file"), .replace)
        try output.write(Array("after".utf8))
        #expect(text("file") == "before")
        try output.commit()
        #expect(text("file") == "after")
        #expect(status("file")?.st_ino != inode, "it was replaced, not overwritten")
        #expect(try #require(status("file")).st_mode & 0o777 == 0o604)
        #expect(names == ["file"])
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
    func `a file of another user stays that user's`() throws {
        try put("before", "file")
        chown("\(directory.file("file"))", 1234, 4321)
        try put("after", "file")
        let after = try #require(status("file"))
        #expect(after.st_uid == 1234 && after.st_gid == 4321)
    }

    @Test(arguments: [OutputFile.Mode.replace, .create, .append])
    func `an output without commit changes nothing`(mode: OutputFile.Mode) throws {
        if mode != .create { try put("before", "file") }
        do {
            let output = try OutputFile(directory.file("file"), mode)
            try output.write(Array("after".utf8))
        }
        #expect(names == (mode == .create ? [] : ["file"]))
        #expect(text("file") == (mode == .create ? nil : "before"))
    }

    @Test func `create never replaces a file, even one that appeared meanwhile`() throws {
        let output = try OutputFile(directory.file("file"), .create)
        try put("first", "file")
        #expect(throws: OutputError(directory.file("file"), .exists)) { try output.commit() }
        #expect(throws: OutputError(directory.file("file"), .exists)) { try put("second", "file", .create) }
        #expect(text("file") == "first" && names == ["file"])
    }

    @Test func `bytes are appended to an existing or a new file`() throws {
        try put("one\n", "log", .append)
        try put("two\n", "log", .append)
        #expect(text("log") == "one\ntwo\n")
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everything"))
    func `a file that was made read-only is not replaced`() throws {
        try put("before", "file")
        chmod("\(directory.file("file"))", 0o444)
        #expect(throws: OutputError(directory.file("file"), .system(errno: EACCES))) { try put("after", "file") }
    }

    // MARK: Devices, FIFOs, sockets, descriptors

    @Test(.enabled(if: geteuid() == 0, "only root makes devices"))
    func `a device is written directly and stays a device`() throws {
        #expect(mknod("\(directory.file("full"))", S_IFCHR | 0o600, Self.device(7)) == 0)
        #expect(mknod("\(directory.file("null"))", S_IFCHR | 0o600, Self.device(3)) == 0)
        symlink("full", "\(directory.file("link"))")
        for name in ["full", "link"] {
            let expected = OutputError(directory.file(name), .system(errno: ENOSPC))
            #expect(throws: expected) { try put("x", name) }
            #expect("\(expected)" == "cannot write \(directory.path)/\(name): No space left on device")
        }
        for mode in [OutputFile.Mode.replace, .append] { try put("x", "null", mode) }
        #expect(status("full")?.st_rdev == Self.device(7) && status("null")?.st_rdev == Self.device(3))
        #expect(status("full").map { $0.st_mode & S_IFMT } == S_IFCHR)
        #expect(names == ["full", "link", "null"])
        #expect(throws: OutputError(directory.file("null"), .exists)) { try put("x", "null", .create) }
    }

    @Test(.timeLimit(.minutes(5))) func `a FIFO is written directly, and is an error without a reader`() throws {
        let path = directory.file("fifo")
        #expect(mkfifo("\(path)", 0o600) == 0)
        #expect(throws: OutputError(path, .noReader)) { try put("x", "fifo") }
        let reader = open("\(path)", O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        try put("through", "fifo")
        var bytes = [UInt8](repeating: 0, count: 100)
        #expect(read(reader, &bytes, 100) == 7 && bytes.starts(with: "through".utf8))
        #expect(status("fifo").map { $0.st_mode & S_IFMT } == S_IFIFO)
    }

    @Test func `a closed pipe is an error and not a signal`() throws {
        let path = directory.file("fifo")
        mkfifo("\(path)", 0o600)
        let reader = open("\(path)", O_RDONLY | O_NONBLOCK)
        let output = try OutputFile(path, .replace)
        close(reader)
        #expect(throws: OutputError(path, .system(errno: EPIPE))) { try output.write([1]) }
    }

    @Test func `a socket is written directly, and is an error without a listener`() throws {
        let path = directory.file("socket")
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.bytes) }
        let bound = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        #expect(throws: OutputError(path, .noReader)) { try put("x", "socket") }
        #expect(listen(listener, 1) == 0)
        try put("through", "socket")
        let connection = accept(listener, nil, nil)
        defer { close(connection) }
        var bytes = [UInt8](repeating: 0, count: 100)
        #expect(read(connection, &bytes, 100) == 7)
        #expect(status("socket").map { $0.st_mode & S_IFMT } == S_IFSOCK)
    }

    @Test(arguments: ["/dev/fd/", "/proc/self/fd/"])
    func `an open descriptor is written at its position`(prefix: String) throws {
        try put("12345678", "file")
        let number = open("\(directory.file("file"))", O_RDWR)
        defer { close(number) }
        #expect(lseek(number, 4, SEEK_SET) == 4)
        let output = try OutputFile(ByteString("\(prefix)\(number)"), .replace)
        try output.write(Array("xy".utf8))
        try output.commit()
        #expect(text("file") == "1234xy78")
        #expect(lseek(number, 0, SEEK_CUR) == 6)
        #expect(names == ["file"])
    }

    @Test func `a closed or read-only descriptor is an error`() throws {
        try put("", "file")
        let number = open("\(directory.file("file"))", O_RDONLY)
        defer { close(number) }
        for (path, errno) in [("/dev/fd/\(number)", EBADF), ("/dev/fd/9999", ENOENT)] {
            let error = #expect(throws: OutputError.self) { try OutputFile(ByteString(path), .replace) }
            #expect(error?.errno == errno)
        }
    }

    // MARK: Links

    @Test(arguments: ["target", "./deep/target", "ABSOLUTE/target"])
    func `a link is followed and kept, even to a missing file`(target: String) throws {
        mkdir("\(directory.file("deep"))", 0o700)
        let shown = target.replacing("ABSOLUTE", with: directory.path)
        symlink(shown, "\(directory.file("link"))")
        symlink("link", "\(directory.file("outer"))")
        for text in ["first", "second"] {
            try put(text, "outer")
            #expect(self.text("link") == text && self.text("outer") == text)
        }
        #expect(status("link").map { $0.st_mode & S_IFMT } == S_IFLNK)
        #expect(status("outer").map { $0.st_mode & S_IFMT } == S_IFLNK)
    }

    @Test func `endless links, and links that must not be followed, are errors`() throws {
        symlink("loop", "\(directory.file("loop"))")
        #expect(throws: OutputError(directory.file("loop"), .system(errno: ELOOP))) { try put("x", "loop") }
        symlink("file", "\(directory.file("link"))")
        #expect(throws: OutputError(directory.file("link"), .system(errno: ELOOP))) {
            try OutputFile.replace(directory.file("link"), with: [1])
        }
        #expect(text("file") == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "it takes two users"))
    func `another user's file in a world-writable directory is an error`() throws {
        chmod(directory.path, 0o1777)
        chown(directory.path, 1, 1)
        try put("", "file")
        symlink("/nowhere/at/all", "\(directory.file("link"))")
        mkfifo("\(directory.file("fifo"))", 0o666)
        for name in ["file", "link", "fifo"] {
            lchown("\(directory.file(name))", 1234, 1234)
            #expect(throws: OutputError(directory.file(name), .foreign(owner: 1234))) { try put("x", name) }
        }
    }

    // MARK: Paths

    @Test(arguments: [
        ("", ENOENT), ("a\u{0}b", EINVAL), ("dir", EISDIR), ("dir/", EISDIR), ("dir/.", EISDIR), ("file/x", ENOTDIR),
        ("none/x", ENOENT), (String(repeating: "n", count: 300), ENAMETOOLONG),
        (String(repeating: "d/", count: 3000) + "x", ENAMETOOLONG),
    ])
    func `a path that cannot be written is an error at once`(name: String, errno: Int32) throws {
        mkdir("\(directory.file("dir"))", 0o700)
        try put("", "file")
        let path = name.isEmpty ? "" : directory.file(name)
        let error = #expect(throws: OutputError.self) { try OutputFile(path, .replace) }
        #expect(error?.errno == errno, "\(String(describing: error))")
        #expect(names == ["dir", "file"])
    }

    @Test func `an output must not be an input or another output`() throws {
        try put("x", "file")
        link("\(directory.file("file"))", "\(directory.file("other"))")
        let output = try OutputFile(directory.file("file"), .replace)
        #expect(throws: OutputError(directory.file("file"), .isInput)) {
            try output.requireNot(inputs: ["/nowhere", directory.file("other")])
        }
        #expect(throws: OutputError(directory.file("file"), .isOutputTwice)) {
            try output.requireNot(sameAs: OutputFile(ByteString(directory.path + "/./file"), .append))
        }
        #expect(throws: OutputError(directory.file("file"), .withinInput(ByteString(directory.path)))) {
            try output.requireNot(inside: ByteString(directory.path))
        }
        try output.requireNot(inputs: [directory.file("none")])
        try output.requireNot(sameAs: OutputFile(directory.file("third"), .replace))
        try output.requireNot(inside: "/")
    }
}

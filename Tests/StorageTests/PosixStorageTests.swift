import Bytes
import Glibc
import Storage
import Testing

@Suite struct PosixStorageTests {
    @Test func `a symbolic link is not followed`() throws {
        let outside = try TemporaryDirectory()
        let inside = try TemporaryDirectory()
        _ = try PosixStorage(directory: outside.path).create("secret")
        #expect(symlink("\(outside.text)/secret", "\(inside.text)/link") == 0)
        let storage = try PosixStorage(directory: inside.path)
        #expect(throws: StorageError.failed(.open, name: "link", errno: ELOOP)) { _ = try storage.open("link") }
        #expect(throws: StorageError.failed(.open, name: "link", errno: ELOOP)) {
            _ = try storage.openForReading("link")
        }
    }

    @Test(.timeLimit(.minutes(5))) func `a FIFO does not block`() throws {
        let directory = try TemporaryDirectory()
        #expect(mkfifo("\(directory.text)/pipe", 0o600) == 0)
        let storage = try PosixStorage(directory: directory.path)
        let refusal = StorageError.failed(.open, name: "pipe", errno: EINVAL)
        #expect(throws: refusal) { _ = try storage.openForReading("pipe") }
        #expect(throws: refusal) { _ = try storage.open("pipe") }
    }

    @Test func `the directory stays the same when its path is replaced`() throws {
        let parent = try TemporaryDirectory()
        let storage = try PosixStorage(creatingDirectory: ByteString("\(parent.text)/a"))
        #expect(rename("\(parent.text)/a", "\(parent.text)/b") == 0)
        #expect(mkdir("\(parent.text)/a", 0o700) == 0)
        _ = try storage.create("file")
        #expect(try PosixStorage(directory: ByteString("\(parent.text)/b")).list() == ["file"])
        #expect(try PosixStorage(directory: ByteString("\(parent.text)/a")).list() == [])
    }

    @Test(arguments: ["x", "x/y/z", "x//y/"]) func `missing directories are created`(_ path: String) throws {
        let root = try TemporaryDirectory()
        let full = ByteString("\(root.text)/\(path)")
        let storage = try PosixStorage(creatingDirectory: full)
        _ = try storage.create("file")
        #expect(try PosixStorage(creatingDirectory: full).list() == ["file"], "an existing directory is kept")
    }

    @Test func `a path that is not a directory is an error`() throws {
        let root = try TemporaryDirectory()
        _ = try PosixStorage(directory: root.path).create("file")
        let file = ByteString("\(root.text)/file")
        #expect(throws: StorageError.failed(.openDirectory, name: file, errno: ENOTDIR)) {
            _ = try PosixStorage(creatingDirectory: file)
        }
        let missing = ByteString("\(root.text)/none")
        #expect(throws: StorageError.failed(.openDirectory, name: missing, errno: ENOENT)) {
            _ = try PosixStorage(directory: missing)
        }
        #expect(throws: StorageError.invalidName("")) { _ = try PosixStorage(directory: "") }
    }

    @Test func `a file opened for reading cannot be written`() throws {
        let root = try TemporaryDirectory()
        let storage = try PosixStorage(directory: root.path)
        _ = try storage.create("a")
        let file = try storage.openForReading("a")
        #expect(throws: StorageError.failed(.write, name: "a", errno: EBADF)) { try file.write([1], at: 0) }
    }

    @Test func `an error has call, name and reason`() throws {
        let error = StorageError.failed(.sync, name: ByteString([0x61, 0xFF]), errno: ENOSPC)
        #expect(error.description == "sync 'a\\xff': No space left on device")
        let injected = StorageError.injected(.write, name: "a", errno: EIO, rule: "write nth=1 -> EIO")
        #expect(injected.description == "write 'a': Input/output error (injected by: write nth=1 -> EIO)")
    }
}

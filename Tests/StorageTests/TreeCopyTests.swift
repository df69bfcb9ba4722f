import Bytes
import CPlatform
import Foundation
import Testing

@testable import Storage

/// A copy of a store equals the store, whatever it contains.
struct TreeCopyTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private func status(_ name: String) -> stat {
        var status = stat()
        #expect(lstat("\(scratch.file(name))", &status) == 0, "\(name)")
        return status
    }

    @Test func `files, links, holes, modes, attributes and several names of a file are copied`() throws {
        for directory in ["from", "from/deep", "from/deep/er"] { mkdir("\(scratch.file(directory))", 0o700) }
        try OutputFile.create(scratch.file("from/deep/er/data"), Array("data".utf8), permissions: 0o640)
        try OutputFile.create(scratch.file("from/empty"), [])
        link("\(scratch.file("from/deep/er/data"))", "\(scratch.file("from/second"))")
        symlink("../../outside", "\(scratch.file("from/link"))")
        mkfifo("\(scratch.file("from/fifo"))", 0o620)
        let hole = open("\(scratch.file("from/hole"))", O_RDWR | O_CREAT, 0o600)
        #expect(pwrite(hole, "middle", 6, 4 << 20) == 6 && ftruncate(hole, 8 << 20) == 0)
        close(hole)
        setxattr("\(scratch.file("from/empty"))", "user.note", "kept", 4, 0)
        chmod("\(scratch.file("from/deep"))", 0o750)

        try TreeCopy.copy(scratch.file("from"), to: scratch.file("to"))

        #expect(FileManager.default.contents(atPath: "\(scratch.file("to/deep/er/data"))") == Data("data".utf8))
        #expect(status("to/deep/er/data").st_mode & 0o777 == status("from/deep/er/data").st_mode & 0o777)
        #expect(status("to/second").st_ino == status("to/deep/er/data").st_ino)
        #expect(status("to/second").st_ino != status("from/second").st_ino)
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: "\(scratch.file("to/link"))") == "../../outside")
        #expect(status("to/fifo").st_mode == status("from/fifo").st_mode)
        #expect(status("to/deep").st_mode & 0o777 == 0o750)
        let (before, after) = (status("from/hole"), status("to/hole"))
        #expect(after.st_size == 8 << 20 && after.st_blocks <= before.st_blocks + 16)
        let bytes = try #require(FileManager.default.contents(atPath: "\(scratch.file("to/hole"))"))
        #expect(bytes.count == 8 << 20 && bytes[(4 << 20)..<(4 << 20) + 6] == Data("middle".utf8))
        #expect(bytes.count { $0 != 0 } == 6)
        if getxattr("\(scratch.file("from/empty"))", "user.note", nil, 0) == 4 {
            #expect(getxattr("\(scratch.file("to/empty"))", "user.note", nil, 0) == 4)
        }
    }

    @Test func `existing files are not overwritten`() throws {
        for directory in ["from", "to"] { mkdir("\(scratch.file(directory))", 0o700) }
        try OutputFile.create(scratch.file("from/file"), [1])
        #expect(throws: TreeError.system(call: "mkdir", path: scratch.file("to"), errno: EEXIST)) {
            try TreeCopy.copy(scratch.file("from"), to: scratch.file("to"))
        }
        symlink("../outside", "\(scratch.file("to/file"))")
        #expect(throws: TreeError.self) { try TreeCopy.fill(scratch.file("to"), from: scratch.file("from")) }
        #expect(!FileManager.default.fileExists(atPath: "\(scratch.file("outside"))"))
    }
}

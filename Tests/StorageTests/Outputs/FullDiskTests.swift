import Bytes
import Foundation
import Testing

@testable import Storage

/// Outputs on a filesystem that runs full: a small tmpfs.
@Suite(.enabled(if: SmallFilesystem.isPossible, "only root mounts a tmpfs"))
struct FullDiskTests {
    private let disk: SmallFilesystem

    init() throws { disk = try SmallFilesystem() }

    @Test func `the old file stays when the new content does not fit`() throws {
        try OutputFile.create(disk.file("old"), Array("whole".utf8))
        let output = try OutputFile(disk.file("old"), .replace)
        #expect(throws: OutputError(disk.file("old"), .system(errno: ENOSPC))) {
            for _ in 0..<100 { try output.write([UInt8](repeating: 7, count: 64 << 10)) }
        }
        #expect(disk.text("old") == "whole")
        #expect(disk.names == ["old"])
    }

    @Test func `bytes are appended completely or not at all`() throws {
        try OutputFile.append(Array("line\n".utf8), to: disk.file("log"))
        #expect(throws: OutputError(disk.file("log"), .system(errno: ENOSPC))) {
            try OutputFile.append([UInt8](repeating: 7, count: 8 << 20), to: disk.file("log"))
        }
        #expect(disk.text("log") == "line\n")
        #expect(throws: OutputError(disk.file("other"), .system(errno: ENOSPC))) {
            try OutputFile.append([UInt8](repeating: 7, count: 8 << 20), to: disk.file("other"))
        }
        #expect(disk.names == ["log"])
    }

    @Test func `a directory that does not fit is not created, and a retry with space succeeds`() throws {
        let path = disk.file("made")
        let error = #expect(throws: OutputError.self) {
            try OutputDirectory.make(path) { directory in
                try OutputFile.create(directory.appending(component: "small"), [1])
                try OutputFile.create(directory.appending(component: "large"), [UInt8](repeating: 7, count: 8 << 20))
            }
        }
        #expect(error == OutputError(path.appending(component: "large"), .system(errno: ENOSPC)))
        #expect(disk.names == [])
        try OutputDirectory.make(path) { try OutputFile.create($0.appending(component: "small"), [1]) }
        #expect(disk.names == ["made"])
    }
}

/// A tmpfs of 1 MiB, mounted while the value exists.
private final class SmallFilesystem {
    static let isPossible = geteuid() == 0 && (try? SmallFilesystem()) != nil

    private let directory: ScratchDirectory

    init() throws {
        directory = try ScratchDirectory()
        guard mount("faultline-test", directory.path, "tmpfs", 0, "size=1m") == 0 else {
            throw ScratchDirectory.Failure.errno(errno)
        }
    }

    deinit { umount2(directory.path, Int32(MNT_DETACH)) }

    func file(_ name: String) -> ByteString { directory.file(name) }

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(file(name))").map { String(decoding: $0, as: UTF8.self) }
    }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()) ?? [] }
}

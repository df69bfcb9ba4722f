import Bytes
import Foundation
import Testing

@testable import Storage

/// An output directory appears complete or not at all.
struct OutputDirectoryTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private struct FillError: Error, Equatable {}

    private func names(_ name: String = "") -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/\(name)").sorted()) ?? []
    }

    private func fill(_ directory: ByteString) throws {
        try OutputFile.create(directory.appending(component: "f"), [1])
    }

    @Test(arguments: ["made", "made/", "made//"]) func `it gets its name when it is complete`(name: String) throws {
        let place = try OutputDirectory.make(scratch.file(name)) { directory in
            try fill(directory)
            #expect(!names().contains("made"))
            return directory
        }
        #expect(place != scratch.file("made"))
        #expect(names() == ["made"] && names("made") == ["f"])
    }

    @Test func `a failure leaves nothing, and a retry succeeds`() throws {
        for _ in 0..<2 {
            #expect(throws: FillError()) {
                try OutputDirectory.make(scratch.file("made")) { directory in
                    try fill(directory)
                    throw FillError()
                }
            }
            #expect(names() == [])
        }
        try OutputDirectory.make(scratch.file("made"), fill)
        #expect(names("made") == ["f"])
    }

    @Test func `an existing path is an error, even one that appeared meanwhile`() throws {
        try OutputDirectory.make(scratch.file("made"), fill)
        let expected = OutputError(scratch.file("made"), .exists)
        #expect(throws: expected) { try OutputDirectory.make(scratch.file("made")) { _ in Issue.record("not asked") } }
        symlink("nowhere", "\(scratch.file("link"))")
        #expect(throws: OutputError(scratch.file("link"), .exists)) {
            try OutputDirectory.make(scratch.file("link"), fill)
        }
        #expect(throws: OutputError(scratch.file("late"), .exists)) {
            try OutputDirectory.make(scratch.file("late")) { _ in mkdir("\(scratch.file("late"))", 0o700) }
        }
        #expect(names() == ["late", "link", "made"] && names("late") == [])
    }

    @Test func `an empty directory may be filled, and keeps its permissions`() throws {
        mkdir("\(scratch.file("made"))", 0o710)
        try OutputDirectory.make(scratch.file("made"), existing: .emptyDirectory, fill)
        #expect(names() == ["made"] && names("made") == ["f"])
        var status = stat()
        #expect(stat("\(scratch.file("made"))", &status) == 0 && status.st_mode & 0o777 == 0o710)
        #expect(throws: OutputError(scratch.file("made"), .notEmpty)) {
            try OutputDirectory.make(scratch.file("made"), existing: .emptyDirectory, fill)
        }
    }

    @Test func `a link to an empty directory stays, and its target is filled`() throws {
        mkdir("\(scratch.file("real"))", 0o700)
        symlink("real", "\(scratch.file("link"))")
        #expect(throws: FillError()) {
            try OutputDirectory.make(scratch.file("link"), existing: .emptyDirectory) { directory in
                try fill(directory)
                throw FillError()
            }
        }
        #expect(names() == ["link", "real"] && names("real") == [])
        try OutputDirectory.make(scratch.file("link"), existing: .emptyDirectory, fill)
        #expect(names() == ["link", "real"] && names("link") == ["f"])
    }

    @Test func `an error names the final path, not the temporary one`() throws {
        let error = #expect(throws: (any Error).self) {
            try OutputDirectory.make(scratch.file("made")) { directory in
                _ = try TraceReader(path: directory.appending(component: "trace"))
            }
        }
        #expect(error.map { "\($0)" } == "trace \(scratch.path)/made/trace: open: No such file or directory")
    }

    // MARK: Missing parents

    @Test func `missing parents are created, and removed again if empty`() throws {
        let made = try NewDirectories(making: scratch.file("a/b/c"))
        #expect(made.paths == [scratch.file("a"), scratch.file("a/b"), scratch.file("a/b/c")])
        try OutputFile.create(scratch.file("a/x"), [])
        made.removeEmpty()
        #expect(names() == ["a"] && names("a") == ["x"])
        #expect(try NewDirectories(making: scratch.file("a/")).paths == [])
    }

    @Test func `a parent that is a file is an error, and leaves nothing`() throws {
        try OutputFile.create(scratch.file("file"), [])
        for path in ["file", "file/a", "file/a/b"] {
            #expect(throws: OutputError.self) { try NewDirectories(making: scratch.file(path)) }
        }
        #expect(names() == ["file"])
    }
}

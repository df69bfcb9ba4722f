import Bytes
import Foundation
import Machine
import Runs
import Testing

struct RunDirectoryTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func newRun(target: String = "sqlite", scenario: String = "power-cut") throws -> RunDirectory {
        try RunDirectory(
            in: temporary.bytes.appending(component: "runs"), target: target, scenario: scenario, seed: 7)
    }

    @Test func `runs of the same kind are numbered, and the parent is made`() throws {
        let names = try (0..<3).map { _ in try newRun().path.text }
        #expect(names == (1...3).map { "\(temporary.path)/runs/faultline-sqlite-power-cut-7-\($0)" })
    }

    @Test(arguments: [
        ("../../etc", "_.._.._etc"), ("my store", "my_store"), ("", "_"), (".hidden", "_.hidden"), ("ä", "__"),
    ])
    func `a target's name is only a part of a name`(target: String, part: String) throws {
        let path = try newRun(target: target).path.text
        #expect(path == "\(temporary.path)/runs/faultline-\(part)-power-cut-7-1")
    }

    @Test func `the record says who runs, and after the end that nobody does`() throws {
        let run = try newRun()
        let record = try #require(try RunRecord(in: run.path, ownedBy: geteuid()))
        #expect(record.phase == .running)
        #expect(record.process == (try ProcessIdentity.own()))
        #expect(record.process?.state == .running)
        try run.finish()
        let after = try #require(try RunRecord(in: run.path, ownedBy: geteuid()))
        #expect(after.phase == .finished)
        #expect(after.process == nil)
    }

    @Test func `a mount is recorded from before it is made until it is gone`() throws {
        let run = try newRun()
        let mountPoint = ByteString(Array("/tmp/a \u{FF}\n".utf8) + [0xFF])
        try run.willMount(mountPoint)
        #expect(try RunRecord(in: run.path, ownedBy: geteuid())?.mounts == [mountPoint])
        try run.didUnmount(mountPoint)
        #expect(try RunRecord(in: run.path, ownedBy: geteuid())?.mounts == [])
    }

    @Test func `scratch directories are recorded, closed to others, apart, and gone at the end`() throws {
        let run = try newRun()
        let scratch = try (0..<2).map { _ in try run.makeScratch() }
        #expect(Set(scratch).count == 2)
        #expect(try RunRecord(in: run.path, ownedBy: geteuid())?.scratch == scratch)
        for directory in scratch {
            #expect(directory.permissions == 0o700)
            #expect(try RunRecord(in: directory, ownedBy: geteuid())?.process == (try ProcessIdentity.own()))
        }
        try Data("x".utf8).write(to: URL(filePath: scratch[0].text + "/file"))
        try run.removeScratch(scratch[0])
        #expect(!scratch[0].exists)
        #expect(try RunRecord(in: run.path, ownedBy: geteuid())?.scratch == [scratch[1]])
        try run.finish()
        #expect(!scratch[1].exists)
    }

    @Test func `a directory that the run did not make is not removed as its scratch`() throws {
        let run = try newRun()
        try run.removeScratch(temporary.bytes)
        #expect(temporary.bytes.exists)
    }

    @Test func `cases are numbered`() throws {
        let run = try newRun()
        #expect(
            try (0..<2).map { _ in try run.makeCase { _, _ in }.text } == (1...2).map { "\(run.path.text)/cases/\($0)" }
        )
    }

    @Test(arguments: [
        ["replay", "runs/a-1/cases/1"], ["it's", "", " ", "$(touch x)", "a\nb", "\\", "\"", "*"],
    ])
    func `the script hands every argument on as it is`(arguments: [String]) throws {
        let run = try newRun()
        try run.writeReproduceScript(arguments.map { ByteString($0) })
        let script = Process()
        script.executableURL = URL(filePath: run.reproducePath.text)
        script.currentDirectoryURL = URL(filePath: temporary.path)
        try Data("#!/bin/sh\nprintf '%s|' \"$@\"\n".utf8).write(to: URL(filePath: temporary.path + "/print"))
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: temporary.path + "/print")
        script.environment = ["FAULTLINE": temporary.path + "/print", "PATH": "/usr/bin:/bin"]
        let output = Pipe()
        script.standardOutput = output
        try script.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        script.waitUntilExit()
        #expect(text == arguments.map { $0 + "|" }.joined())
    }

    @Test func `a parent that is a file is an error with its path`() throws {
        let file = temporary.path + "/file"
        try Data().write(to: URL(filePath: file))
        let error = #expect(throws: RunDirectoryError.self) {
            try RunDirectory(in: ByteString(file), target: "t", scenario: "s", seed: 1)
        }
        #expect(error?.description == "cannot write \(file): Not a directory")
    }

    @Test(arguments: [
        "", "{}", "{\"version\":1}", "{\"version\":9,\"phase\":\"running\",\"owner\":0,\"mounts\":[],\"scratch\":[]}",
        "{\"version\":1,\"phase\":\"running\",\"owner\":0,\"mounts\":[\"relative\"],\"scratch\":[]}",
        "{\"version\":1,\"phase\":\"running\",\"owner\":4294967295,\"mounts\":[],\"scratch\":[]}",
    ])
    func `a record that is not ours is damage, not a crash`(text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: temporary.path + "/run.json"))
        #expect(throws: RunDirectoryError.self) { try RunRecord(in: temporary.bytes, ownedBy: geteuid()) }
    }

    @Test func `a record behind a symbolic link is none`() throws {
        try FileManager.default.createSymbolicLink(
            atPath: temporary.path + "/run.json", withDestinationPath: try newRun().path.text + "/run.json")
        #expect(try RunRecord(in: temporary.bytes, ownedBy: geteuid()) == nil)
    }
}

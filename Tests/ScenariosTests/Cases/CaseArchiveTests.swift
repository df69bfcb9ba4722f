import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Report
import Storage
import Targets
import Testing

@testable import Machine
@testable import Replay
@testable import Runs

/// A case goes to another machine as one file and shows the same there; a hostile file does nothing.
@Suite struct CaseArchiveTests {
    private let targets = TargetCatalog(driver: TestMachine.driver)

    /// A case that breaks its promise: an acknowledged put of which no file holds anything.
    private func makeCase(in scratch: Scratch, story: String = "lost", target: String = "engine") throws -> ByteString {
        let directory = try scratch.make("case")
        let lines = [OracleLine.begin(.put(1, "k", [1, 2])), .acknowledged(.put(1, "k", [1, 2]))]
        let arena = PayloadArena()
        let events = lines.map { TraceEvent.oracle(arena.store($0.encoded.dropLast())) }
        let recording = Recording(base: Tree(), events: events, payloads: arena)
        try recording.write(firstEvents: 2, to: directory.appending(component: CaseRecord.traceName))
        try OutputFile.create(directory.appending(component: CaseRecord.oracleName), lines.flatMap(\.encoded))
        try CaseRecord(
            target: target, manifest: nil, configuration: [:], contract: "durable", scenario: .explore, seed: 1,
            profile: .strict, crashPoint: 2, lost: "", check: .check(.durable), story: story
        ).write(to: directory)
        return directory
    }

    @Test func itShowsTheSameElsewhere() throws {
        let scratch = Scratch()
        let directory = try makeCase(in: scratch, story: "cannot open '/dev/shm/faultline-0-1/state-7/a.db': no")
        let file = ByteString(scratch.url.path + "/case.tar")
        try CaseArchive.write(directory, to: file)
        #expect(throws: OutputError(file, .exists)) { try CaseArchive.write(directory, to: file) }
        try FileManager.default.removeItem(atPath: directory.shown)

        let (replay, outcome) = try Replay.show(
            file, scratch: try scratch.make("elsewhere"), targets: targets, wording: English())
        #expect(replay.record.story == "cannot open 'a.db': no")
        #expect(outcome.judgement.verdict == .violation)
        let account = try #require(outcome.account)
        #expect(account.headline == "key k is gone, though its write was acknowledged (oracle line 2)")

        let imported = ByteString(scratch.url.path + "/imported")
        try CaseArchive.unpackWithImage(file, into: imported)
        #expect(FileManager.default.fileExists(atPath: imported.shown + "/image"))
        #expect(throws: (any Error).self) { try CaseArchive.unpackWithImage(file, into: imported) }
    }

    @Test func twoExportsAreTheSameAndAnyTarReadsThem() throws {
        let scratch = Scratch()
        let directory = try makeCase(in: scratch)
        let archive = try CaseArchive.export(directory)
        #expect(try archive == CaseArchive.export(directory))
        let file = scratch.url.appending(path: "case.tar")
        try Data(archive).write(to: file)
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = ["tar", "-xf", file.path, "-C", scratch.url.path]
        try tar.run()
        tar.waitUntilExit()
        #expect(tar.terminationStatus == 0)
        #expect(try CaseRecord(directory: ByteString(scratch.url.path + "/faultline-case")).crashPoint == 2)
    }

    @Test func whatNamesTheMachineIsRefused() throws {
        let scratch = Scratch()
        let directory = try makeCase(in: scratch)
        try OutputFile.create(
            directory.appending(component: CaseRecord.manifestName),
            Array("name: x\nworkload: [\(directory)/w]\n".utf8))
        #expect { try CaseArchive.export(directory) } throws: { "\($0)".contains("--anyway") }
        #expect(try !CaseArchive.export(directory, namesMachine: true).isEmpty)
    }

    @Test(arguments: [
        ("at '/a/b/c.db': no", "at 'c.db': no"), ("/x", "x"), ("a/b", "a/b"), ("1/2 and / alone", "1/2 and / alone"),
    ]) func pathsInStories(_ text: String, _ shown: String) {
        #expect(CaseArchive.withoutPaths(text) == shown)
    }

    /// Archives that nobody who means well sends: each is refused before anything is written.
    private static let hostile: [(name: String, damage: @Sendable ([UInt8]) -> [UInt8], says: String)] = [
        ("a path out of the directory", { renamed($0, "../../etc/passwd") }, "is no file of a case"),
        ("an absolute path", { renamed($0, "/etc/passwd") }, "is no file of a case"),
        ("a path through the folder", { renamed($0, "faultline-case/../case.json") }, "is no file of a case"),
        ("a file that is no case's", { renamed($0, "faultline-case/reproduce.sh") }, "is no file of a case"),
        ("the same file twice", { renamed($0, "faultline-case/trace") }, "is there twice"),
        ("a hard link", { retyped($0, "1") }, "a link"),
        ("a symbolic link", { retyped($0, "2") }, "a link"),
        ("a device", { retyped($0, "3") }, "a device"),
        ("a FIFO", { retyped($0, "6") }, "a FIFO"),
        ("a directory", { retyped($0, "5") }, "a directory"),
        ("an extension", { retyped($0, "x") }, "an entry of type 120"),
        ("a long name", { retyped($0, "L") }, "an entry of type 76"),
        ("a file larger than the archive", { sized($0, "77777777777") }, "is cut off"),
        ("a negative size", { sized($0, "-0000000001") }, "a size that is no number"),
        ("a size in base 256", { sized($0, "\u{1}0000000000") }, "a size that is no number"),
        ("a wrong checksum", { changed($0, at: 0, to: [0x41], fixing: false) }, "checksum"),
        ("no end", { Array($0.dropLast(1024)) }, "ends without its end"),
        ("half of it", { Array($0.prefix($0.count / 2)) }, "at byte"),
        ("a byte after its end", { $0 + [1] }, "there is more after the end"),
        ("another archive after it", { $0 + $0 }, "there is more after the end"),
        ("half a block after its end", { $0.dropLast(512) + [UInt8](repeating: 7, count: 256) }, "more after the end"),
        ("nothing", { _ in [] }, "ends without its end"),
        ("an empty archive", { _ in [UInt8](repeating: 0, count: 1024) }, "there is no case.json"),
        ("noise", { _ in (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) } }, "checksum"),
    ]

    @Test(arguments: hostile.indices) func aHostileArchiveDoesNothing(_ index: Int) throws {
        let (_, damage, says) = Self.hostile[index]
        let scratch = Scratch()
        let archive = damage(try CaseArchive.export(try makeCase(in: scratch)))
        let file = ByteString(scratch.url.path + "/hostile.tar")
        try OutputFile.create(file, archive)
        let directory = ByteString(scratch.url.path + "/unpacked")
        #expect { try CaseArchive.unpack(file, into: directory) } throws: { "\($0)".contains(says) }
        #expect(!FileManager.default.fileExists(atPath: directory.shown))
    }

    /// The archive is whole and what is in it is not: that shows when the image is made, with the files there already.
    @Test(arguments: [CaseRecord.fileName, CaseRecord.traceName])
    func anImportThatFailsLeavesNothingAndCanBeTriedAgain(_ name: ByteString) throws {
        let scratch = Scratch()
        let directory = try makeCase(in: scratch)
        let (good, bad) = (ByteString(scratch.url.path + "/good.tar"), ByteString(scratch.url.path + "/bad.tar"))
        try CaseArchive.write(directory, to: good)
        let path = directory.appending(component: name)
        // A case whose crash lies behind the end of its trace, and a trace that was cut off.
        let damaged =
            name == CaseRecord.fileName
            ? Array(
                String(decoding: try RunFiles.read(path), as: UTF8.self)
                    .replacing(#""crashPoint" : 2"#, with: #""crashPoint" : 99"#).utf8)
            : Array(try RunFiles.read(path).prefix(20))
        try OutputFile.replace(path, with: damaged)
        try CaseArchive.packUnchecked(directory, to: bad)

        let imported = ByteString(scratch.url.path + "/imported")
        let before = try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).sorted()
        for _ in 0..<2 {
            #expect { try CaseArchive.unpackWithImage(bad, into: imported) } throws: {
                "\($0)".hasPrefix("\(bad) holds a damaged case: ") && !"\($0)".contains("/.faultline-")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).sorted() == before)
        }
        try CaseArchive.unpackWithImage(good, into: imported)
        #expect(FileManager.default.fileExists(atPath: imported.shown + "/reproduce.sh"))
    }

    /// tar(1) fills an archive up with zeros.
    @Test func zerosAfterItsEndAreNoMore() throws {
        let scratch = Scratch()
        let file = ByteString(scratch.url.path + "/padded.tar")
        let archive = try CaseArchive.export(try makeCase(in: scratch))
        try OutputFile.create(file, archive + [UInt8](repeating: 0, count: 9 * 512))
        try CaseArchive.unpackWithImage(file, into: ByteString(scratch.url.path + "/unpacked"))
    }

    @Test(.enabled(if: geteuid() == 0, "only root mounts a tmpfs"))
    func aFullDiskIsNotTheArchivesFault() throws {
        let scratch = Scratch()
        let directory = try makeCase(in: scratch)
        let trace = directory.appending(component: CaseRecord.traceName)
        let old = try Recording(tracePath: trace)
        var base = Tree()
        let arena = PayloadArena()
        base.nodes[InodeID(2)] = Node(kind: .regular, attributes: Attributes(mode: 0o644))
        base.nodes[InodeID(2)]?.sizeBytes = 100_000
        base.nodes[InodeID(2)]?.content.write(arena.store([UInt8](repeating: 1, count: 100_000)), at: 0)
        base.nodes[.root]?.entries["f"] = InodeID(2)
        try FileManager.default.removeItem(atPath: trace.shown)
        let events = try old.events.map { event in
            guard case .oracle(let line) = event else { return event }
            return TraceEvent.oracle(arena.store(try old.payloads.bytes(of: line)))
        }
        try Recording(base: base, events: events, payloads: arena).write(firstEvents: 2, to: trace)
        let file = ByteString(scratch.url.path + "/case.tar")
        try CaseArchive.write(directory, to: file)
        let disk = try scratch.make("disk")
        // The files of the case have room, and the image beside them has none.
        try #require(mount("faultline-test", disk.shown, "tmpfs", 0, "size=160k") == 0)
        defer { umount2(disk.shown, Int32(MNT_DETACH)) }
        let imported = disk.appending(component: "imported")
        #expect { try CaseArchive.unpackWithImage(file, into: imported) } throws: { error in
            "\(error)".contains("No space left on device") && !"\(error)".contains("damaged")
                && "\(error)".contains("\(imported)/image/f")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.shown) == [])
    }

    enum InPlace: CaseIterable, Sendable { case directory, link, fifo, large }

    @Test(arguments: InPlace.allCases) func whatIsNoFileIsNotCalledMissing(kind: InPlace) throws {
        let scratch = Scratch()
        let directory = try makeCase(in: scratch)
        let path = directory.appending(component: CaseRecord.fileName).shown
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        let says: String
        switch kind {
        case .directory: (_, says) = (mkdir(path, 0o700), "it is a directory")
        case .link: (_, says) = (symlink("case.json.old", path), "it is a symbolic link")
        case .fifo: (_, says) = (mkfifo(path, 0o600), "it is no regular file")
        case .large:
            try Data(count: 2 << 20).write(to: URL(filePath: path))
            says = "it is longer than 1 MiB"
        }
        #expect { try CaseRecord(directory: directory) } throws: { "\($0)".hasPrefix("\(path): \(says)") }
        try FileManager.default.removeItem(atPath: path)
        #expect { try CaseRecord(directory: directory) } throws: { "\($0)".contains("is not there") }
    }

    /// A trace that gives one directory two names at each of forty levels has 2⁴⁰ paths.
    @Test func aTraceOfLinkedDirectoriesEndsSoon() throws {
        let scratch = Scratch()
        let directory = try makeCase(in: scratch)
        let trace = directory.appending(component: CaseRecord.traceName)
        let old = try Recording(tracePath: trace)
        var events: [TraceEvent] = []
        for level in 0..<40 {
            let (parent, child) = (InodeID(1 + UInt64(level)), InodeID(2 + UInt64(level)))
            let id = UInt64(2 * level)
            events.append(
                .operation(
                    Operation(
                        id: OperationID(id + 1),
                        .create(child, .directory, Attributes(mode: 0o755), at: DirectoryEntry(parent, "a")))))
            events.append(.operation(Operation(id: OperationID(id + 2), .link(child, at: DirectoryEntry(parent, "b")))))
        }
        let recording = Recording(base: Tree(), events: events + old.events, payloads: old.payloads)
        try FileManager.default.moveItem(atPath: trace.shown, toPath: trace.shown + ".old")
        try recording.write(firstEvents: recording.events.count, to: trace)
        var record = try CaseRecord(directory: directory)
        record.crashPoint = recording.events.count
        try FileManager.default.removeItem(atPath: directory.shown + "/case.json")
        try record.write(to: directory)
        let replay = try Replay(directory: directory, targets: targets, wording: English())
        #expect(throws: (any Error).self) { try replay.run(scratch: try scratch.make("replay")) }
    }

    // MARK: - Damage, in the header of the first file

    private static func changed(
        _ archive: [UInt8], at place: Int, to bytes: [UInt8], fixing: Bool = true
    ) -> [UInt8] {
        var archive = archive
        archive.replaceSubrange(place..<place + bytes.count, with: bytes)
        guard fixing else { return archive }
        for index in 148..<156 { archive[index] = 32 }
        let sum = String(archive[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
        let text = String(repeating: "0", count: 6 - sum.count) + sum + "\0 "
        archive.replaceSubrange(148..<156, with: Array(text.utf8))
        return archive
    }

    private static func renamed(_ archive: [UInt8], _ name: String) -> [UInt8] {
        changed(archive, at: 0, to: Array(name.utf8) + [UInt8](repeating: 0, count: 100 - name.utf8.count))
    }

    private static func retyped(_ archive: [UInt8], _ type: Character) -> [UInt8] {
        changed(archive, at: 156, to: Array(String(type).utf8))
    }

    private static func sized(_ archive: [UInt8], _ size: String) -> [UInt8] {
        changed(archive, at: 124, to: Array(size.utf8))
    }
}

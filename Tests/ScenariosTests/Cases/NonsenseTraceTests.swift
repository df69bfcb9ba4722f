import Bytes
import Exploration
import Foundation
import Glibc
import Model
import Oracle
import Storage
import Testing

@testable import Machine
@testable import Runs

/// Whatever reads a trace refuses one that no storage can have done, although its checksums are right.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct NonsenseTraceTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func run(_ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(arguments, directory: temporary.path)
    }

    private static let attributes = Attributes(mode: 0o644)
    private static func event(_ id: UInt64, _ change: Change) -> TraceEvent {
        .operation(Operation(id: OperationID(id), change))
    }

    /// After an oracle line, and the directory `d`; the last event is the third.
    static let nonsense: [(TraceEvent, String)] = [
        (event(1, .setAttributes(.root, attributes)), "op 1 is recorded twice"),
        (event(2, .unlink(DirectoryEntry(.root, "absent"))), "there is no 'absent' in inode 1"),
        (
            event(2, .rename(from: DirectoryEntry(.root, "d"), to: DirectoryEntry(InodeID(2), "d"), .replace)),
            "a directory is renamed to 'd' in inode 2, within itself"
        ),
        (
            event(2, .create(InodeID(3), .regular, attributes, at: DirectoryEntry(.root, "d"))),
            "'d' already exists in inode 1"
        ),
        (.barrierEnded(OperationID(2), errno: 0), "the barrier op 2 ends, but has not begun"),
        (.barrierBegan(OperationID(2), .forceUnitAccess(OperationID(1)), process: 1), "but there is no such write"),
        (
            event(2, .setExtendedAttribute(InodeID(2), name: "user.x", value: nil)),
            "the attribute 'user.x' of inode 2 is removed"
        ),
    ]

    private func write(_ last: TraceEvent?, to path: String) throws {
        let arena = PayloadArena()
        let events: [TraceEvent?] = [
            .oracle(arena.store(OracleLine.begin(.put(1, "k", [1])).encoded.dropLast())),
            Self.event(1, .create(InodeID(2), .directory, Attributes(mode: 0o755), at: DirectoryEntry(.root, "d"))),
            last,
        ]
        try Recording(base: Tree(), events: events.compactMap(\.self), payloads: arena)
            .write(firstEvents: last == nil ? 2 : 3, to: ByteString(path))
    }

    private func makeCase(_ last: TraceEvent?) throws -> String {
        let directory = temporary.path + "/case"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try write(last, to: directory + "/trace")
        try OutputFile.create(ByteString(directory + "/oracle.jsonl"), OracleLine.begin(.put(1, "k", [1])).encoded)
        try CaseRecord(
            target: "engine", manifest: nil, configuration: [:], contract: "durable", scenario: .explore, seed: 1,
            profile: .strict, crashPoint: 2, lost: "", check: .check(.durable), story: "lost"
        ).write(to: ByteString(directory))
        return directory
    }

    @Test(arguments: nonsense.indices) func `every reader refuses it, with the event and the reason`(row: Int) throws {
        let (event, reason) = Self.nonsense[row]
        try write(event, to: temporary.path + "/t")
        try write(nil, to: temporary.path + "/good")
        let directory = try makeCase(event)
        let archive = temporary.path + "/case.tar"
        try CaseArchive.packUnchecked(ByteString(directory), to: ByteString(archive))
        let readers = [
            try run("trace", "show", "t"), try run("trace", "stats", "t"), try run("trace", "diff", "good", "t"),
            try run("trace", "diff", "t", "good"), try run("replay", directory), try run("minimise", directory),
            try run("recheck", directory), try run("case", "export", directory, "-o", "again.tar", "--anyway"),
            try run("replay", archive), try run("recheck", archive), try run("minimise", archive),
            try run("case", "import", archive, "-o", "imported"),
        ]
        for answer in readers {
            #expect(answer.status == 2, "\(answer)")
            #expect(answer.error.contains("event 3 at byte ") && answer.error.contains(reason), "\(answer)")
        }
    }

    /// The end record has 24 bytes.
    @Test func `a case whose trace was cut off is refused, even where its crash point is there`() throws {
        let directory = try makeCase(nil)
        #expect(try run("replay", directory).status == 0)
        let trace = directory + "/trace"
        #expect(truncate(trace, off_t(RunFiles.size(of: ByteString(trace)) - 24)) == 0)
        let archive = temporary.path + "/case.tar"
        try CaseArchive.packUnchecked(ByteString(directory), to: ByteString(archive))
        for answer in [
            try run("replay", directory), try run("minimise", directory), try run("recheck", directory),
            try run("case", "export", directory, "-o", "again.tar", "--anyway"), try run("replay", archive),
            try run("case", "import", archive, "-o", "imported"),
        ] {
            #expect(answer.status == 2 && answer.error.contains("no end record"), "\(answer)")
        }
    }

    @Test func `a run is not gone on with over one`() throws {
        #expect(try run("explore", "engine", "--ops", "30", "--states", "50").status != 2)
        let directory = temporary.path + "/faultline-runs/faultline-engine-explore-1-1"
        let path = directory + "/recorded.trace"
        let recording = try Recording(tracePath: ByteString(path))
        try FileManager.default.removeItem(atPath: path)
        let absent = Self.event(1 << 40, .unlink(DirectoryEntry(.root, "absent")))
        try Recording(base: recording.base, events: recording.events + [absent], payloads: recording.payloads)
            .write(firstEvents: recording.events.count + 1, to: ByteString(path))
        let answer = try run("explore", "engine", "--ops", "30", "--states", "90", "--resume", directory)
        #expect(answer.status == 2, "\(answer)")
        #expect((answer.output + answer.error).contains("recorded.trace is damaged"), "\(answer)")
    }
}

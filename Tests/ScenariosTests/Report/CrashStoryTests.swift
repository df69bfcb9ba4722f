import Bytes
import Foundation
import Model
import Oracle
import Testing

@testable import Exploration
@testable import Report

/// What is told of a crash, from a small trace written by hand: a file is written, synced and removed, and the removal
/// is promised though nothing made it durable.
struct CrashStoryTests {
    private static let file = InodeID(2)
    private static let name = DirectoryEntry(.root, "a.log")

    private func recording(syncError: Int32 = 0) -> Recording {
        let arena = PayloadArena()
        let put = arena.store(Array(OracleLine.begin(.put(1, "k", [1, 2])).encoded.dropLast()))
        let acknowledged = arena.store(Array(OracleLine.acknowledged(.put(1, "k", [1, 2])).encoded.dropLast()))
        let data = arena.store([UInt8](repeating: 7, count: 4096))
        let events: [TraceEvent] = [
            .operation(
                Operation(id: OperationID(1), .create(Self.file, .regular, Attributes(mode: 0o644), at: Self.name))),
            .barrierBegan(OperationID(2), .fsync(.root), process: 0), .barrierEnded(OperationID(2), errno: 0),
            .oracle(put),
            .operation(Operation(id: OperationID(3), .write(Self.file, offsetBytes: 0, data: data))),
            .barrierBegan(OperationID(4), .fsync(Self.file), process: 0),
            .barrierEnded(OperationID(4), errno: syncError),
            .operation(Operation(id: OperationID(5), .unlink(Self.name))),
            .oracle(acknowledged),
        ]
        return Recording(base: Tree(), events: events, payloads: arena)
    }

    private func story(_ recording: Recording, _ profile: Profile, _ choice: Choice) throws -> CrashStory {
        let state = try recording.state(profile, at: recording.events.count, choice)
        let violation = Violation(
            check: .durable, key: "k", expected: [KeyState(payload: [1, 2], line: 2)], found: KeyState(payload: nil),
            line: 2)
        return try English().story(
            of: FailingState(recording, state, violation, linesBefore: 0))
    }

    @Test func aRemovalThatNothingMadeDurable() throws {
        let story = try story(recording(), .strict, .nothing)
        #expect(story.headline == "key k is gone, though its write was acknowledged (oracle line 2)")
        #expect(story.timeline.filter { $0.fate == .lost }.map(\.what) == ["unlink a.log"])
        #expect(story.timeline.last?.what == "oracle line 2: put k, 2 bytes: acknowledged")
        #expect(story.timeline.last?.fate == .promised)
        #expect(story.reasons[0].contains("removal of the name a.log") && story.reasons[0].contains("directory"))
        let lost = try #require(story.timeline.first { $0.fate == .lost })
        #expect(story.reasons[0].hasSuffix("There was none after event \(lost.from)."))
        #expect(story.reasons[1].contains("strict"))
        #expect(story.found == "no key")
    }

    @Test func aSyncThatFailed() throws {
        let story = try story(recording(syncError: 5), .ext4Ordered, .nothing)
        #expect(story.timeline.contains { $0.fate == .failed && $0.detail == "EIO" })
        #expect(story.reasons.contains { $0.contains("sync failed at event 7") }, "\(story.reasons)")
    }

    @Test func aTornWriteSaysWhatIsMissing() throws {
        let lost = try LostAtoms(parsing: "3.0[0-512]")
        let story = try story(recording(syncError: 5), .posixMin, .losing(lost))
        let torn = story.timeline.filter { $0.fate == .torn }
        #expect(torn.map(\.what) == ["write a.log, bytes 0–4095"])
        #expect(torn.first?.detail == "kept bytes 512–4095, lost 0–511, which read as zeros")
        #expect(story.reasons.contains { $0.contains("may be torn") })
    }

    /// What is lost of a write of 4096 bytes to an empty file, as a case stores it.
    @Test(arguments: [
        (
            "3.0[512-1024,2048-2560]",
            "kept bytes 0–511, 1024–2047, 2560–4095, lost 512–1023, 2048–2559, which read as zeros"
        ),
        ("3.0[0-3584]", "kept bytes 3584–4095, lost 0–3583, which read as zeros"),
        ("3.0", "kept the size, lost the bytes: they read as zeros"),
    ])
    func `a torn write says which bytes are there and what is read for the others`(lost: String, words: String) throws {
        let state = try recording(syncError: 5).state(.posixMin, at: 9, .losing(LostAtoms(parsing: lost)))
        try #require(state.lost.description == lost)
        let story = try story(recording(syncError: 5), .posixMin, .losing(LostAtoms(parsing: lost)))
        #expect(story.timeline.first { $0.fate == .torn }?.detail == words)
    }

    @Test func `an append that stopped at a page kept what came before it`() throws {
        let arena = PayloadArena()
        var base = Tree()
        base.nodes[Self.file] = Node(kind: .regular, attributes: Attributes(mode: 0o644))
        base.nodes[.root]?.entries["a.log"] = Self.file
        let data = arena.store([UInt8](repeating: 7, count: 600))
        let write = Change.write(Self.file, offsetBytes: 3800, data: data)
        let events: [TraceEvent] = [.operation(Operation(id: OperationID(1), write))]
        let recording = Recording(base: base, events: events, payloads: arena)
        let story = try story(recording, .strict, .losing(LostAtoms(parsing: "1.0[4096-4400] 1.1<4096")))
        #expect(story.timeline.map(\.detail) == ["kept bytes 3800–4095, lost 4096–4399"], "\(story.timeline)")
        #expect(story.reasons.last == "Nothing had been acknowledged yet.")
    }

    @Test func `what had been acknowledged is not denied`() throws {
        let story = try story(recording(), .strict, .nothing)
        #expect(!story.reasons.contains { $0.contains("Nothing had been acknowledged") })
    }

    /// Both are shown by their beginnings, which look alike.
    @Test(arguments: [(60, "from byte 60 on: bytes 60–99 are zeros"), (4, "from byte 4 on: bytes 4–99 are zeros")])
    func `values that look alike are told apart`(shared: Int, words: String) throws {
        let arena = PayloadArena()
        let value = [UInt8](repeating: 120, count: 100)
        let found = Array(value.prefix(shared)) + [UInt8](repeating: 0, count: 100 - shared)
        let put = OracleOperation.put(1, "k", value)
        let events: [TraceEvent] = [
            .oracle(arena.store(Array(OracleLine.begin(put).encoded.dropLast()))),
            .oracle(arena.store(Array(OracleLine.acknowledged(put).encoded.dropLast()))),
        ]
        let recording = Recording(base: Tree(), events: events, payloads: arena)
        let violation = Violation(
            check: .payloadIntegrity, key: "k", expected: [KeyState(payload: value, line: 2)],
            found: KeyState(payload: found), line: 2)
        let story = try English().story(
            of: FailingState(recording, recording.state(.strict, at: 2, .nothing), violation, linesBefore: 0))
        #expect(story.difference == words)
        #expect(StoryReport(story).lines(for: .plain, indent: 4).map(\.text).contains("    differs   " + words))
    }

    @Test func `names stand as in the store's directory`() throws {
        var recording = recording()
        let to = DirectoryEntry(.root, "b.log")
        recording.change { events in
            events[7] = .operation(Operation(id: OperationID(5), .rename(from: Self.name, to: to, .replace)))
        }
        let story = try story(recording, .strict, .nothing)
        #expect(story.timeline.contains { $0.what == "rename a.log -> b.log" }, "\(story.timeline.map(\.what))")
        #expect(recording.summary(ofEvent: 8) == "rename a.log -> b.log")
        #expect(recording.summary(ofEvent: 3) == "fsync the store's directory returned")
        #expect(recording.summary(ofEvent: 9) == "oracle line 2: put k, 2 bytes: acknowledged")
    }

    /// Both sides of a hole stand by themselves, with what the store did for them.
    @Test func `a hole is told with its own operations`() throws {
        let arena = PayloadArena()
        var events: [TraceEvent] = []
        var id: UInt64 = 0
        func next() -> OperationID {
            id += 1
            return OperationID(id)
        }
        func file(_ key: Int) -> InodeID { InodeID(UInt64(key) + 1) }
        var base = Tree()
        for key in 1...9 {
            base.nodes[file(key)] = Node(kind: .regular, attributes: Attributes(mode: 0o644))
            base.nodes[.root]?.entries[ByteString("\(key)")] = file(key)
        }
        for key in 1...9 {
            let put = OracleOperation.put(UInt64(key), ByteString("\(key)"), [1])
            events.append(.oracle(arena.store(Array(OracleLine.begin(put).encoded.dropLast()))))
            let data = arena.store([1])
            events.append(.operation(Operation(id: next(), .write(file(key), offsetBytes: 0, data: data))))
        }
        let recording = Recording(base: base, events: events, payloads: arena)
        // Key 2 is lost, and key 7 is there.
        let lost = try recording.state(.posixMin, at: events.count, .losing(LostAtoms(parsing: "2.0 2.1")))
        let violation = Violation(
            check: .noHoles, key: "2", expected: [KeyState(payload: [1], line: 3)], found: KeyState(payload: nil),
            line: 3, otherLines: [3, 13])
        let story = try English().story(
            of: FailingState(recording, lost, violation, linesBefore: 0))
        let whats = story.timeline.map(\.what)
        #expect(whats.contains("oracle line 2: put 2, 1 byte: requested"), "\(whats)")
        #expect(
            whats.contains("oracle line 13: put 7, 1 byte: requested") || whats.contains("write 7, byte 0"), "\(whats)")
        #expect(story.timeline.contains { $0.what == "write 7, byte 0" && $0.fate == .survived }, "\(whats)")
    }

    @Test func `what is folded never mixes syncs with writes`() throws {
        var recording = recording()
        let data = Payload(offsetBytes: 0, countBytes: 1)
        var many: [TraceEvent] = []
        for index in 0..<20 {
            let id = 10 + 2 * UInt64(index)
            let write = Change.write(Self.file, offsetBytes: 0, data: data)
            many.append(.operation(Operation(id: OperationID(id), write)))
            many.append(.barrierBegan(OperationID(id + 1), .fsync(Self.file), process: 0))
            many.append(.barrierEnded(OperationID(id + 1), errno: 0))
        }
        recording.change { $0.insert(contentsOf: many, at: 1) }
        let story = try story(recording, .strict, .nothing)
        let folded = story.timeline.filter { $0.what.contains(" × ") }
        #expect(folded.contains { $0.what == "20 syncs: 20 × fsync a.log" && $0.fate == .synced }, "\(story.timeline)")
        #expect(folded.contains { $0.what.contains("20 × write a.log") && $0.fate == .durable }, "\(story.timeline)")
        #expect(folded.allSatisfy { !($0.what.contains("sync ") && $0.what.contains("write ")) })
    }

    /// A sync that failed, and took back what was written: nothing crashed.
    @Test func `a fault is told where it struck, with what it did and what it put back`() throws {
        var recording = recording(syncError: 5)
        let old = Change.truncate(Self.file, sizeBytes: 0)
        recording.change { events in
            events.insert(.fault(OperationID(4), rule: "fsync nth=1 -> EIO lose btrfs"), at: 5)
            events.insert(.operation(Operation(id: OperationID(9), old)), at: 7)
        }
        let fault = "4 fsync path=a.log -> EIO lose btrfs"
        let faults = try ScriptedFaults(parsing: ByteString(fault)).faults
        let violation = Violation(check: .durable, key: "k", found: KeyState(payload: nil), line: 2)
        let story = try English().story(
            of: FailingState(
                recording, recording.wholeState(at: 11), violation, linesBefore: 0, faults: faults, look: .storage))
        let whats = story.timeline.map(\.what)
        #expect(story.timeline.first { $0.fate == .injected }?.what == "fsync a.log: EIO lose btrfs", "\(whats)")
        #expect(whats.contains("truncate a.log to 0 bytes (old bytes, restored by the fault)"), "\(whats)")
        #expect(whats.contains("oracle line 1: put k, 2 bytes: requested"), "\(whats)")
        #expect(!story.timeline.contains { [.durable, .survived, .lost].contains($0.fate) })
        #expect(
            story.reasons == [
                "The fault: fsync a.log failed with EIO and lost the unsynced data, as on btrfs: reads see the old bytes "
                    + "at once."
            ])
        let lines = StoryReport(story).lines(for: .plain, indent: 4).map(\.text)
        #expect(lines.contains { $0.contains("no power cut: storage read afresh after event 11") })
        #expect(!lines.contains { $0.contains("after the crash") })
    }

    /// Each fault that there is says what it did to its call.
    @Test(arguments: [
        ("read:4 read path=a -> EIO", "The fault: read 4 of a failed with EIO and did nothing."),
        ("7 write path=a -> short 100", "The fault: write a served only 100 bytes."),
        (
            "7 write path=a -> tear 512..1024",
            "The fault: write a returned success, but bytes 512–1023 of the file were not written."
        ),
        ("7 fsyncdir path=. -> lie", "The fault: fsyncdir the store's directory returned 0 and made nothing durable."),
        (
            "7 fsync path=a -> EIO lose ext4-journal",
            "The fault: fsync a returned 0 and lost the unsynced data; the next sync reports EIO."
        ),
        (
            "read:1 read path=a -> misdirect 512",
            "The fault: read 1 of a read from byte 512 of the file instead."
        ),
    ])
    func `a fault says what it did`(script: String, sentence: String) throws {
        let faults = try ScriptedFaults(parsing: ByteString(script)).faults
        #expect(faults.map(\.sentence) == [sentence])
    }

    @Test func nothingIsLostWhenAProcessDies() throws {
        let story = try story(recording(), .kill, .everything)
        #expect(!story.timeline.contains { $0.fate == .lost || $0.fate == .torn })
        #expect(story.reasons == ["Nothing is lost: every file is as the store's processes left it."])
    }

    @Test func itFitsTheTerminalAndSurvivesJSON() throws {
        var story = try story(recording(), .strict, .nothing)
        #expect(try JSONDecoder().decode(CrashStory.self, from: JSONEncoder().encode(story)) == story)
        story.found = String(repeating: "word ", count: 60) + String(repeating: "x", count: 300)
        story.timeline[0].what = String(repeating: "n", count: 255)
        story.timeline[0].detail = String(repeating: "d", count: 255)
        let lines = StoryReport(story).lines(for: .plain, indent: 4).map(\.text)
        #expect(lines.allSatisfy { $0.count <= 120 }, "\(lines.map(\.count))")
        #expect(lines.contains { $0.hasPrefix("    >> ") && $0.hasSuffix("LOST") })
    }

    @Test func `how a write is torn is told whole, on a line of its own if need be`() throws {
        var story = try story(recording(syncError: 5), .posixMin, .losing(LostAtoms(parsing: "3.0[0-512]")))
        func lines() -> [String] { StoryReport(story).lines(for: .plain, indent: 4).map(\.text) }
        let words = "kept bytes 512–4095, lost 0–511, which read as zeros"
        #expect(lines().contains { $0.hasSuffix("TORN: " + words) }, "\(lines())")
        story.timeline[0].what = String(repeating: "n", count: 60)
        let place = try #require(lines().firstIndex { $0.hasSuffix("TORN") }, "\(lines())")
        #expect(lines()[place + 1].hasSuffix("  " + words))
    }

    /// Of a thousand events that do not matter a handful of lines is told.
    @Test func whatDoesNotMatterIsFolded() throws {
        var recording = recording()
        let data = Payload(offsetBytes: 0, countBytes: 1)
        let many: [TraceEvent] = (0..<1000).map {
            .operation(Operation(id: OperationID(6 + UInt64($0)), .write(Self.file, offsetBytes: 0, data: data)))
        }
        recording = Recording(
            base: recording.base, events: recording.events[..<8] + many + recording.events[8...],
            payloads: recording.payloads)
        let story = try story(recording, .posixMin, .losing(LostAtoms(parsing: "5.0")))
        #expect(story.timeline.count < 12, "\(story.timeline.map(\.what))")
        #expect(story.timeline.contains { $0.what.contains("1000 × write a.log") })
    }
}

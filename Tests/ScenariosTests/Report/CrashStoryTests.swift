import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Testing

@testable import Report

/// What is told of a crash, from a small trace written by hand: a file is written, synced and removed, and the removal is
/// promised though nothing made it durable.
struct CrashStoryTests {
    private static let file = InodeID(2)
    private static let name = Entry(.root, "a.log")

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
            check: .durable, key: "k", expected: [Holding(payload: [1, 2], line: 2)], found: Holding(payload: nil),
            line: 2)
        return try recording.story(of: state, violation, linesBefore: 0)
    }

    @Test func aRemovalThatNothingMadeDurable() throws {
        let story = try story(recording(), .strict, .nothing)
        #expect(story.headline == "key k is gone, though its write was acknowledged (oracle line 2)")
        #expect(story.timeline.filter { $0.fate == .lost }.map(\.what) == ["unlink a.log"])
        #expect(story.timeline.last?.what == "oracle line 2: put k, 2 bytes: acknowledged")
        #expect(story.timeline.last?.fate == .promised)
        #expect(story.reasons[0].contains("removal of the name a.log") && story.reasons[0].contains("directory"))
        #expect(story.reasons[0].hasSuffix("None came between it and the power cut."))
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
        #expect(torn.map(\.what) == ["write a.log, bytes 0-4096"])
        #expect(torn.first?.detail?.contains("0-512") == true)
        #expect(story.reasons.contains { $0.contains("may survive in part") })
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
        let lines = StoryReport(story).lines(for: .plain, indent: 4)
        #expect(lines.allSatisfy { $0.count <= 120 }, "\(lines.map(\.count))")
        #expect(lines.contains { $0.hasPrefix("    >> ") && $0.hasSuffix("LOST") })
    }

    /// Of a thousand events that do not matter a handful of lines is told.
    @Test func whatDoesNotMatterIsFolded() throws {
        var recording = recording()
        let data = Payload(offsetBytes: 0, countBytes: 1)
        let many: [TraceEvent] = (0..<1000).map {
            .operation(Operation(id: OperationID(6 + UInt64($0)), .write(Self.file, offsetBytes: 0, data: data)))
        }
        recording.events.insert(contentsOf: many, at: 8)
        let story = try story(recording, .posixMin, .losing(LostAtoms(parsing: "5.0")))
        #expect(story.timeline.count < 12, "\(story.timeline.map(\.what))")
        #expect(story.timeline.contains { $0.what.contains("1000 × write a.log") })
    }
}

import Bytes
import Exploration
import Model
import Oracle
import Testing

@testable import Report

/// A write(2) that the kernel handed over in two requests, and pages of a mapping that it wrote back.
struct WritePieceStoryTests {
    private static let file = InodeID(2)
    private let base: Tree = {
        var tree = Tree()
        tree.nodes[file] = Node(kind: .regular, attributes: Attributes(mode: 0o644))
        tree.nodes[.root]?.entries["log"] = file
        return tree
    }()
    private let arena = PayloadArena()

    private func write(_ id: UInt64, _ range: Range<UInt64>, _ origin: Operation.Origin) -> TraceEvent {
        let data = arena.store([UInt8](repeating: 7, count: range.count))
        let change = Change.write(Self.file, offsetBytes: range.lowerBound, data: data)
        return .operation(Operation(id: OperationID(id), change, process: 5, origin: origin))
    }

    private func story(_ events: [TraceEvent], _ profile: Profile, at point: Int, _ choice: Choice = .everything)
        throws -> CrashStory
    {
        let recording = Recording(base: base, events: events, payloads: arena)
        let state = try recording.state(profile, at: point, choice)
        return try English().story(
            of: FailingState(recording, state, Violation(check: .opens, detail: "torn"), linesBefore: 0))
    }

    private var pieces: [TraceEvent] {
        [write(1, 0..<3800, .call), write(2, 3800..<4096, .call), write(3, 4096..<4400, .sameCall)]
    }

    @Test func `each piece of a write says which it is, and a whole write does not`() throws {
        let story = try story(pieces, .strict, at: 3, .nothing)
        #expect(
            story.timeline.map(\.what) == [
                "write log, bytes 0–3799", "write log, bytes 3800–4095 (piece 1 of 2 of one write)",
                "write log, bytes 4096–4399 (piece 2 of 2 of one write)",
            ])
    }

    @Test(arguments: [Profile.kill, .strict])
    func `a crash between two pieces came within one write`(profile: Profile) throws {
        let between = try story(pieces, profile, at: 2)
        #expect(between.reasons.joined().contains("during"), "\(between.reasons)")
        #expect(!between.reasons.joined().contains("Nothing is lost"), "\(between.reasons)")
        // Before the first piece and after the last it did not.
        for point in [1, 3] {
            let story = try story(pieces, profile, at: point)
            #expect(!story.reasons.joined().contains("during"), "\(point): \(story.reasons)")
        }
    }

    /// What comes after the crash is left out of a case, but for what says that the crash came within a write.
    @Test func `a trace that ends between two pieces keeps the rest of them`() throws {
        let scratch = Scratch()
        let recording = Recording(base: base, events: pieces + [write(4, 5000..<5001, .call)], payloads: arena)
        for (count, kept) in [(0, 0), (1, 1), (2, 3), (3, 3), (4, 4)] {
            let path = ByteString(scratch.url.appending(path: "trace-\(count)").path)
            try recording.write(firstEvents: count, to: path)
            #expect(try Recording(tracePath: path).events.count == kept, "\(count)")
        }
    }

    @Test func `a store that writes through a mapping derives what a power cut leaves and nothing that a kill leaves`()
        throws
    {
        let mapped = Recording(base: base, events: [write(1, 0..<4096, .writeback)], payloads: arena)
        #expect(mapped.mappedFiles == ["log"])
        #expect(mapped.profiles.first == .strict && !mapped.profiles.contains(.kill))
        #expect(throws: RecordingError.noKillStates(mappedFiles: ["log"])) { try mapped.state(.kill, at: 0, .nothing) }
        #expect("\(RecordingError.noKillStates(mappedFiles: ["log"]))".contains("--scenario kill"))
        #expect(try mapped.wholeState(at: 1).profile == .strict)
        let whole = try mapped.state(.posixMin, at: 1, .everything)
        #expect(try Minimiser(mapped).underStrongestProfile(whole).profile == .strict)

        let plain = Recording(base: base, events: [write(1, 0..<4096, .call)], payloads: arena)
        #expect(plain.mappedFiles.isEmpty && plain.profiles.first == .kill)
        #expect(try plain.wholeState(at: 1).profile == .kill)
    }

    @Test func `what another life showed holds for one that was cut before any page was written back`() throws {
        var recording = Recording(base: base, events: [], payloads: arena)
        recording.addMappedFiles(["log", "log"])
        #expect(recording.mappedFiles == ["log"])
        let state = try recording.state(.strict, at: 0, .nothing)
        let story = try English().story(
            of: FailingState(recording, state, Violation(check: .durable, key: "k"), linesBefore: 0))
        #expect(story.reasons.joined().contains("shared mapping of log"), "\(story.reasons)")
    }
}

import Bytes
import Foundation
import Model
import Oracle
import Report
import Storage
import Testing

@testable import Exploration
@testable import Matrices
@testable import Runs

/// Causes are facts: what files are called changes neither how failures are grouped nor what is told of them.
struct OddNameTests {
    private static let plain: ByteString = "records"

    static let names: [ByteString] = [
        "a,b.db", "my file.db", "two\nlines", "write x", "x, of which 0-1", "-> lost", "attribute of of y",
        "\u{1B}[31m",
        "removal of the name z", "ä\\n", ByteString([0xFF, 0xFE, 0x20]),
    ]

    /// A file that is rewritten in place, another that takes its place by a rename, and one that is unlinked.
    private func groups(_ name: ByteString) throws -> (Recording, [CauseGroup]) {
        let (new, old) = (ByteString(name.bytes + Array(".new".utf8)), ByteString(name.bytes + Array(".old".utf8)))
        func put(_ number: UInt64) -> OracleOperation { .put(number, "k", [UInt8(number) + 1]) }
        let store = try ScriptedStore { storage, say in
            let file = try storage.create(name)
            try file.write([UInt8](repeating: 1, count: 1500), at: 0)
            try file.sync()
            let journal = try storage.create(old)
            try journal.write([1], at: 0)
            try journal.sync()
            try storage.syncDirectory()
            say(.begin(put(1)))
            try file.write([UInt8](repeating: 2, count: 1500), at: 0)
            say(.acknowledged(put(1)))
            try storage.unlink(old)
            let next = try storage.create(new)
            try next.write([3], at: 0)
            try storage.rename(new, to: name)
            say(.begin(put(2)))
            say(.acknowledged(put(2)))
        }
        let explorer = try store.explorer(.posixMin) { files, _ in
            guard let bytes = files[name], let first = bytes.first, first != 1 else { return .opened(Observation()) }
            if files[old] != nil { return .failed(reason: "a journal is left") }
            guard bytes.allSatisfy({ $0 == first }) else { return .failed(reason: "bad checksum") }
            return .opened(Observation(["k": [first]]))
        }
        try explorer.runToItsEnd()
        return (explorer.recording, CauseGroup.groups(of: explorer.collector.causes))
    }

    /// The story with the name of the file in place of the plain one.
    private func text(_ story: CrashStory, naming name: ByteString) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(story), as: UTF8.self)
        let shown = String(decoding: try encoder.encode([name.description]), as: UTF8.self).dropFirst(2).dropLast(2)
        return text.replacing(shown, with: Self.plain.description)
    }

    @Test(arguments: names) func `a store with odd file names has the same causes and the same story`(
        _ name: ByteString
    ) throws {
        let ((plainRun, plain), (oddRun, odd)) = (try groups(Self.plain), try groups(name))
        #expect(plain.count > 1)
        #expect(odd.map(\.shown.cause.check) == plain.map(\.shown.cause.check))
        #expect(odd.map(\.stateCount) == plain.map(\.stateCount))
        #expect(odd.map { $0.shown.cause.losses.map(\.kind) } == plain.map { $0.shown.cause.losses.map(\.kind) })
        for (told, other) in zip(odd, plain) {
            let cause = told.shown.cause
            let story = try English().story(of: told.shown.failingState(in: oddRun))
            let otherStory = try English().story(of: other.shown.failingState(in: plainRun))
            for loss in cause.losses {
                let endings: [String] = ["", ".new", ".old"]
                let paths = endings.map { TextPattern(of: ByteString(name.bytes + Array($0.utf8))) }
                #expect(paths.contains(loss.path), "\(loss)")
                #expect(LossPattern(parsing: loss.description) == loss, "\(loss)")
                #expect(ExpectedLoss(named: loss.description) == .change(loss))
            }
            let read = try JSONDecoder().decode(Cause.self, from: JSONEncoder().encode(cause))
            #expect(read == cause)
            #expect(try text(story, naming: name) == text(otherStory, naming: Self.plain))
        }
    }

    /// What a matrix expects is met by the facts of a finding, whatever words stand beside them.
    @Test(arguments: [
        ("removal of the name *-journal", "removal of the name a.db-journal", true),
        ("removal of the name a.db-journal", "removal of the name a.db-journal", true),
        ("name a.db-journal", "removal of the name a.db-journal", false),
        ("write *", "write two\\nlines", true), ("write a", "write a,b", false), ("write a,b", "write a,b", true),
        ("zeros at an edge in a", "zeros in a", true), ("fsync-eio", "write a", false),
    ])
    func `a matrix expects a kind of change and a path`(expected: String, lost: String, isMet: Bool) throws {
        let loss = try #require(ExpectedLoss(named: expected))
        let symptom = Symptom(check: .durable, isHang: false)
        var finding = Finding(
            check: .durable, strongestProfile: .profile(.strict), lost: [], story: "words", states: 1,
            lossKinds: ["words that nothing reads"])
        finding.cause = Cause(symptom, losses: [try #require(LossPattern(parsing: lost))])
        #expect(loss.isMet(by: finding) == isMet)
        finding.cause = Cause(.opens, error: nil, hasAcknowledged: true, fault: .fsyncEIO)
        #expect(loss.isMet(by: finding) == (expected == "fsync-eio"))
    }
}

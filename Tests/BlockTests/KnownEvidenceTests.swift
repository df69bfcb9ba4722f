import Bytes
import Model
import Oracle
import Testing

@testable import Block

/// Recoveries of files that were recovered before.
struct KnownEvidenceTests {
    private let files = StateHash(of: Array("files".utf8))

    private func opened(_ payload: String) throws -> Evidence {
        Evidence(.opened(try Observation([.init(key: "k", payload: Array(payload.utf8))])))
    }

    @Test func `the same files are recovered once, but for a few that watch`() throws {
        let known = KnownEvidence()
        #expect(known.evidence(of: files) == nil)
        known.note(try opened("a"), of: files)
        let answers = (1...640).map { _ in known.evidence(of: files) }
        #expect(answers.count { $0 == nil } == 10)
        let evidence = try opened("a")
        #expect(answers.allSatisfy { $0 == nil || $0 == evidence })
        #expect(known.evidence(of: StateHash(of: Array("others".utf8))) == nil)
        #expect(!known.hasDiffered)
    }

    @Test func `one difference, and every image is recovered`() throws {
        let known = KnownEvidence()
        let others = StateHash(of: Array("others".utf8))
        known.note(try opened("a"), of: files)
        known.note(try opened("b"), of: others)
        known.note(try opened("c"), of: files)
        #expect(known.hasDiffered)
        known.note(try opened("d"), of: others)
        #expect(known.evidence(of: files) == nil && known.evidence(of: others) == nil)
    }

    @Test func `a store that does not open is recovered each time`() {
        let known = KnownEvidence()
        known.note(Evidence(.failed(reason: "no")), of: files)
        #expect(known.evidence(of: files) == nil)
    }
}

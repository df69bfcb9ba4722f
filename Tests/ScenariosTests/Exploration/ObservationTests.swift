import Bytes
import Exploration
import Foundation
import Model
import Targets
import Testing

@testable import Scenarios

/// What recoveries of real commands show, and what of that counts.
@Suite(.enabled(if: TestMachine.hasFUSE && ManifestTargetTests.hasPython)) struct ObservationTests {
    @Test func `an error that names the store's directory is deterministic, and told without it`() throws {
        let scratch = Scratch()
        let store = try NotebookStore(["tail", "place"], in: scratch)
        let result = store.run(try store.request())
        #expect(result.verdict == .violation, "\(result.reason ?? "")")
        #expect(result.coverage?.contains("NOT DETERMINISTIC") == false && result.unstable == nil)
        let found = try #require(result.findings.first?.account?.found)
        #expect(found.hasPrefix("./db: line ") && !found.contains("scratch"), "\(found)")
    }
}

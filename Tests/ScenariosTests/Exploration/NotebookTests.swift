import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Report
import Targets
import Testing

@testable import Replay
@testable import Runs
@testable import Scenarios

/// A real store with several faults, from its commands to its findings.
@Suite(.enabled(if: TestMachine.hasFUSE && ManifestTargetTests.hasPython)) struct NotebookTests {
    private struct Wanted {
        var fault: String
        var hasAcknowledged: Bool
        /// One of what the finding lost; nil for nothing.
        var loss: String?

        func matches(_ finding: Finding) -> Bool {
            guard let cause = finding.cause, cause.hasAcknowledged == hasAcknowledged else { return false }
            guard let loss else { return cause.losses.isEmpty }
            return cause.losses.map(\.description).contains(loss)
        }
    }

    private static let wanted = [
        Wanted(fault: "creation", hasAcknowledged: false, loss: nil),
        Wanted(fault: "rename", hasAcknowledged: true, loss: "name snap,shot #\\x0a.db"),
        Wanted(fault: "tail", hasAcknowledged: true, loss: "write my log #"),
    ]

    /// A creation that is not atomic, a rename that is not synced and a tail that is not checked are three findings of one
    /// run, even where each says the same; without one of them the other two are left.
    @Test(arguments: [[], ["mute"]], [nil, "creation", "rename", "tail"])
    func `each of three faults is a finding of its own`(more: [String], fixed: String?) throws {
        let scratch = Scratch()
        let faults = Self.wanted.map(\.fault).filter { $0 != fixed }
        let store = try NotebookStore(faults + more, in: scratch)
        let result = store.run(try store.request(nil, .posixMin, ops: 6))
        #expect(result.verdict == .violation, "\(result.reason ?? "")")
        #expect(result.findings.allSatisfy { $0.check == .opens } && result.notMinimised == nil)
        for wanted in Self.wanted {
            let count = result.findings.count(where: wanted.matches)
            #expect(count == (wanted.fault == fixed ? 0 : 1), "\(wanted.fault): \(result.findings.map(\.story))")
        }
        #expect(result.findings.count == faults.count, "\(result.findings.map(\.story))")
    }

    @Test func `mended one after the other, each fault turns its own recheck green and leaves the others`() throws {
        let scratch = Scratch()
        let faults = Self.wanted.map(\.fault)
        let store = try NotebookStore(faults, in: scratch)
        let findings = store.run(try store.request(nil, .posixMin, ops: 6)).findings
        let cases = try Self.wanted.map { try #require(findings.first(where: $0.matches)?.case) }
        for mended in 0...faults.count {
            let left = Array(faults.dropFirst(mended))
            _ = try NotebookStore(left.isEmpty ? ["none"] : left, in: scratch)
            for (place, path) in cases.enumerated() where place == mended - 1 || place == mended {
                let replay = try Replay(
                    directory: ByteString(path), targets: TargetCatalog(driver: TestMachine.driver),
                    reference: store.manifest, wording: English())
                let session = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English())
                let (result, outcome) = try Recheck(replay).run(in: session, progress: { _ in })
                let expected: Verdict = place < mended ? .pass : .violation
                #expect(outcome.verdict == expected, "\(faults[place]): \(result.findings.map(\.story))")
            }
        }
    }

    @Test func `without a fault nothing is found`() throws {
        let scratch = Scratch()
        let store = try NotebookStore(["none"], in: scratch)
        let result = store.run(try store.request(nil, .posixMin, ops: 6))
        #expect(result.verdict == .pass, "\(result.reason ?? "")")
    }

    @Test func `values that lie in files with random names are lost for one cause`() throws {
        let scratch = Scratch()
        let store = try NotebookStore(["blobs"], in: scratch)
        let result = store.run(try store.request(nil, .ext4Ordered, ops: 8))
        #expect(
            Set(result.findings.map(\.lossKinds)) == [["write objects/*/*"]], "\(result.findings.map(\.story))")
        #expect(result.findings.count == 1)
    }
}

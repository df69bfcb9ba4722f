import Bytes
import Exploration
import Oracle
import Storage
import Testing

/// Whether recovery shows the same of the same state: the words of an error do not count, and what it is does.
struct StabilityTests {
    /// One file that is written twice; what it holds after a crash opens never.
    private func store() throws -> ScriptedStore {
        try ScriptedStore { storage, say in
            let file = try storage.create("db")
            for number in 1...2 as ClosedRange<UInt64> {
                say(.begin(.put(number, "k", [1])))
                try file.write([UInt8](repeating: UInt8(number), count: 1500), at: 0)
                try file.sync()
                try storage.syncDirectory()
                say(.acknowledged(.put(number, "k", [1])))
            }
        }
    }

    @Test(arguments: [
        "/dev/shm/faultline-1/state-%/db: cannot be read", "bad page at 0x%", "process % died", "page 4e66c13b%",
    ])
    func `an error that names another place at each look is the same error`(_ text: String) throws {
        let explorer = try store().explorer { _, look in
            .failed(reason: text.replacing("%", with: "\(look.number)"))
        }
        try explorer.runToItsEnd()
        #expect(explorer.coverage.counts.rerun > 0 && explorer.coverage.counts.unstable == 0)
        #expect(explorer.contradictions.isEmpty && explorer.collector.unconfirmedCount == 0)
    }

    @Test func `a state that shows another thing once more is kept with both`() throws {
        let explorer = try store().explorer { _, look in
            look.number % 2 == 1 ? .failed(reason: "page \(look.number) is torn") : .opened(Observation(["k": [1]]))
        }
        try explorer.runToItsEnd()
        #expect(explorer.coverage.counts.unstable > 0)
        let contradiction = try #require(explorer.contradictions.first)
        #expect(contradiction.kind == .again && !contradiction.first.isEquivalent(to: contradiction.second))
        #expect(contradiction.first.recovery.failure == "page 1 is torn")
        #expect(contradiction.second.recovery == .opened(Observation(["k": [1]])))
    }

    /// What was recovered under one profile is not counted again as the next one's.
    @Test func `each profile's coverage counts its own recoveries`() throws {
        let explorer = try store().explorer { _, _ in .opened(Observation(["k": [1]])) }
        try explorer.runToItsEnd()
        let first = explorer.coverage.counts
        try explorer.begin(.posixMin)
        try explorer.runToItsEnd()
        let second = explorer.coverage.counts
        #expect(first.rerun > 0 && first.checked > 0 && second.decided > 0)
        #expect(first.rerun + second.rerun == explorer.counts.rerun)
        #expect(first.checked + second.checked == explorer.counts.checked)
    }

    @Test func `two errors are two things`() {
        let (one, other) = (Evidence(.failed(reason: "empty")), Evidence(.failed(reason: "checksum at 12")))
        #expect(!one.isEquivalent(to: other))
        #expect(other.isEquivalent(to: Evidence(.failed(reason: "checksum at 99"))))
        #expect(!one.isEquivalent(to: Evidence(.hung(afterSeconds: 5))))
        #expect(!one.isEquivalent(to: Evidence(.opened(Observation()))))
    }
}

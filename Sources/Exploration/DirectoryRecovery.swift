import Bytes
import Model
import Oracle
import Storage
import Targets

/// Lets a target recover a directory, twice if it opens, and tells what that shows. Thread safe.
package struct DirectoryRecovery: Sendable {
    private let client: RecoverClient
    /// Where the directories lie: what is in a sandbox may write there.
    private let scratch: ByteString
    private let seconds = SecondRecoveries()

    package init(_ client: RecoverClient, scratch: ByteString) {
        (self.client, self.scratch) = (client, scratch)
    }

    package struct Attempt: Sendable {
        package var evidence: Evidence
        /// What is to be tried again, on a new copy, before it counts.
        package var doubtful: RecoverOutcome?

        package init(evidence: Evidence, doubtful: RecoverOutcome? = nil) {
            (self.evidence, self.doubtful) = (evidence, doubtful)
        }
    }

    /// What recovering a state shows, from one attempt, or two where the first is doubtful.
    ///
    /// - Parameters:
    ///   - isAlone: in a process that has done nothing else.
    ///   - attempt: makes a new copy of the state and recovers that.
    package func evidence(isAlone: Bool, _ attempt: (_ isAlone: Bool) throws -> Attempt) throws -> Evidence {
        let first = try attempt(isAlone)
        guard let doubtful = first.doubtful else { return first.evidence }
        let second = try attempt(true)
        if second.doubtful == nil, case .opened = second.evidence.recovery { client.remark(on: doubtful) }
        return second.evidence
    }

    /// Recovers `directory`, which changes it.
    ///
    /// - Parameters:
    ///   - links: those of it that leave it.
    ///   - number: the attempt's own.
    package func attempt(
        _ directory: ByteString, holding links: [LeavingLink], number: Int, isAlone: Bool
    ) throws -> Attempt {
        let client = try client.confined(for: links, in: scratch)
        func recover(_ doing: String) throws -> RecoverOutcome {
            let outcome = isAlone ? try client.recoverOnce(directory) : try client.recover(directory)
            if case .opened = outcome {} else { try FreeSpace.require(in: scratch, doing: doing) }
            return outcome
        }
        let first = try recover("recovering a state")
        guard case .opened = first else {
            return Attempt(evidence: Evidence(first.recovery), doubtful: first.needsRepeating ? first : nil)
        }
        var doubtful: RecoverOutcome?
        func again() throws -> Recovery {
            let outcome = try recover("recovering a state again")
            if outcome.needsRepeating { doubtful = outcome }
            return outcome.recovery
        }
        let left = isAlone ? nil : DirectoryContents.read(directory).map(StateHash.init(of:))
        let shown = first.recovery
        let second = try left.map { try seconds.recovery(after: $0, showing: shown, number: number, again) } ?? again()
        // One copy where both are the same: what a state shows may be megabytes.
        return Attempt(evidence: Evidence(shown, secondRecovery: second == shown ? shown : second), doubtful: doubtful)
    }
}

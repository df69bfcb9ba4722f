import Bytes
import Model
import Oracle
import Storage
import Targets

/// Recovers a directory with a target, twice if it opens, and returns the evidence. Thread safe.
package struct DirectoryRecovery: Sendable {
    private let client: RecoverClient
    /// The parent of the directories, to which a sandboxed target may write.
    private let scratch: ByteString
    private let seconds = SecondRecoveryCache()

    package init(_ client: RecoverClient, scratch: ByteString) {
        (self.client, self.scratch) = (client, scratch)
    }

    package struct Attempt: Sendable {
        package var evidence: Evidence
        /// An outcome that must be repeated on a new copy before it counts.
        package var unconfirmed: RecoverOutcome?

        package init(evidence: Evidence, unconfirmed: RecoverOutcome? = nil) {
            (self.evidence, self.unconfirmed) = (evidence, unconfirmed)
        }
    }

    /// The evidence of a state, from one attempt, or from two if the first is unconfirmed.
    ///
    /// - Parameters:
    ///   - inFreshProcess: recover in a process that has recovered nothing before.
    ///   - attempt: recovers a new copy of the state.
    package func evidence(inFreshProcess: Bool, _ attempt: (_ inFreshProcess: Bool) throws -> Attempt) throws
        -> Evidence
    {
        let first = try attempt(inFreshProcess)
        guard let unconfirmed = first.unconfirmed else { return first.evidence }
        let second = try attempt(true)
        if second.unconfirmed == nil, case .opened = second.evidence.recovery { client.warn(about: unconfirmed) }
        return second.evidence
    }

    /// Recovers `directory`, which changes it.
    ///
    /// - Parameters:
    ///   - links: the links in the directory that lead out of it.
    ///   - number: the number of the attempt.
    ///   - comparesLeftovers: read what the first recovery left, and skip the second one if its result is known.
    package func attempt(
        _ directory: ByteString, holding links: [EscapingLink], number: Int, inFreshProcess: Bool,
        comparesLeftovers: Bool = true
    ) throws -> Attempt {
        var isReleased = false
        return try attempt(
            directory, holding: links, number: number, inFreshProcess: inFreshProcess,
            comparesLeftovers: comparesLeftovers, releasing: &isReleased)
    }

    /// Recovers `directory`, and reports whether the directory may be used again.
    ///
    /// - Parameters:
    ///   - comparesLeftovers: read what the first recovery left, and skip the second one if its result is known. Not worth
    ///     it for many files.
    ///   - isReleased: if true, it is set to false if a process that is still alive may have something in the directory
    ///     open.
    func attempt(
        _ directory: ByteString, holding links: [EscapingLink], number: Int, inFreshProcess: Bool,
        comparesLeftovers: Bool, releasing isReleased: inout Bool
    ) throws -> Attempt {
        let client = try client.confined(for: links, in: scratch)
        func recover(_ doing: String) throws -> RecoverOutcome {
            let outcome =
                inFreshProcess
                ? try client.recoverOnce(directory) : try client.recover(directory, releasing: &isReleased)
            if case .opened = outcome {} else { try FreeSpace.require(in: scratch, doing: doing) }
            return outcome
        }
        let first = try recover("recovering a state")
        guard case .opened = first else {
            return Attempt(evidence: Evidence(first.recovery), unconfirmed: first.needsRepeating ? first : nil)
        }
        var unconfirmed: RecoverOutcome?
        func again() throws -> Recovery {
            let outcome = try recover("recovering a state again")
            if outcome.needsRepeating { unconfirmed = outcome }
            return outcome.recovery
        }
        let left =
            inFreshProcess || !comparesLeftovers
            ? nil : DirectoryContents.read(directory).map(StateHash.init(of:))
        let shown = first.recovery
        let second = try left.map { try seconds.recovery(after: $0, showing: shown, number: number, again) } ?? again()
        // Share one copy if both are equal: evidence may have megabytes.
        let evidence = Evidence(shown, secondRecovery: second == shown ? shown : second)
        return Attempt(evidence: evidence, unconfirmed: unconfirmed)
    }
}

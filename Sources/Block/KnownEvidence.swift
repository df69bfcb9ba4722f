import Bytes
import Exploration
import Model
import Oracle
import Platform

/// The evidence of stores that were recovered, by a hash of their files, because many images mount to the same files. It rests
/// on one assumption: what a recovery does depends only on the files. One recovery of this many is done all the same; a
/// single difference, and nothing is remembered any more.
///
/// Thread safe.
final class KnownEvidence: Sendable {
    /// One recovery of so many is done although its result is known.
    private static let lookPeriod = 64
    private static let limitBytes = 64 << 20

    private struct State {
        var known = RecentValues<StateHash, Evidence>(limitBytes: KnownEvidence.limitBytes)
        var asked = 0
        var isOff = false
    }
    private let state = Guarded(State())

    /// Whether two recoveries of the same files differed.
    var hasDiffered: Bool { state.withLock { $0.isOff } }

    /// The evidence of a store with these files; nil if it must be recovered.
    func evidence(of files: StateHash) -> Evidence? {
        state.withLock { state in
            guard !state.isOff, let known = state.known.value(of: files) else { return nil }
            state.asked += 1
            return state.asked % Self.lookPeriod == 0 ? nil : known
        }
    }

    /// Remembers what a recovery showed. A store that did not open is recovered each time: the filesystem may be the reason.
    func note(_ evidence: Evidence, of files: StateHash) {
        guard case .opened = evidence.recovery else { return }
        state.withLock { state in
            guard !state.isOff else { return }
            if let known = state.known.value(of: files), known != evidence {
                state.isOff = true
                state.known = RecentValues(limitBytes: Self.limitBytes)
            } else {
                state.known.insert(evidence, for: files, sizeBytes: evidence.sizeBytes)
            }
        }
    }
}

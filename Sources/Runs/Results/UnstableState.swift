import Bytes
import Exploration
import Model
import Oracle

/// The result for a crash state whose recovery is not deterministic: two recoveries of it that differ.
package struct UnstableState: Codable, Sendable {
    package typealias Kind = Contradiction.Kind

    /// One side of the difference: how one recovery differs from the other.
    package struct ObservationExcerpt: Codable, Hashable, Sendable {
        /// Why the store did not open; nil if it did.
        package var error: String?
        /// The number of keys; nil if the store did not open.
        package var keyCount: Int?
        /// The first differing key and its value, as printed; `value` is nil if the key was missing.
        package var key: String?
        package var value: String?
        /// True if the first recoveries agree, and the second ones, of the recovered directories, differ.
        package var isSecondRecovery: Bool?
        /// The result of a write after recovery, if everything else agrees.
        package var probe: String?
    }

    package var kind: Kind
    package var profile: Profile
    package var crashPoint: Int
    /// Descriptions of the lost writes.
    package var lost: [String]
    package var first: ObservationExcerpt
    package var second: ObservationExcerpt
    /// The case's directory: it holds both observations, in the recover command's output format.
    package var `case`: String?
    /// Why there is no case; nil if there is one.
    package var caseProblem: String?
    /// The command that repeats the recovery.
    package var replay: String?

    package init(_ contradiction: Contradiction, lost: [String]) {
        kind = contradiction.kind
        profile = contradiction.state.profile
        crashPoint = contradiction.state.crashPoint
        self.lost = lost
        (first, second) = ObservationExcerpt.pair(contradiction.first, contradiction.second)
    }
}

extension UnstableState.ObservationExcerpt {
    package static func pair(_ one: Evidence, _ other: Evidence) -> (Self, Self) {
        if !Evidence(one.recovery).isEquivalent(to: Evidence(other.recovery)) {
            return pair(one.recovery, other.recovery)
        }
        if one.secondRecovery != other.secondRecovery, let second = one.secondRecovery, let third = other.secondRecovery
        {
            var looks = pair(second, third)
            (looks.0.isSecondRecovery, looks.1.isSecondRecovery) = (true, true)
            return looks
        }
        return (Self(probe: words(one.probe)), Self(probe: words(other.probe)))
    }

    private static func pair(_ one: Recovery, _ other: Recovery) -> (Self, Self) {
        var looks = (Self(one), Self(other))
        guard case .opened(let first) = one, case .opened(let second) = other else { return looks }
        let keys = (first.entries + second.entries).map(\.key).sorted()
        guard let key = keys.first(where: { first[$0] != second[$0] }) else { return looks }
        (looks.0.key, looks.1.key) = (key.description, key.description)
        looks.0.value = first[key].map { KeyState(payload: $0).description }
        looks.1.value = second[key].map { KeyState(payload: $0).description }
        return looks
    }

    private init(_ recovery: Recovery) {
        error = recovery.failure
        if case .opened(let observation) = recovery {
            keyCount = observation.count
            if case .complaint(let complaint) = observation.ownCheck { error = complaint }
        }
    }

    private static func words(_ probe: Evidence.Probe?) -> String {
        switch probe {
        case nil: "not tried"
        case .kept: "kept"
        case .refused(let reason), .lost(let reason), .unkept(let reason): reason
        }
    }
}

import Bytes
import Exploration
import Model
import Oracle

/// A crash state that showed different things when it was looked at twice, for people and programs.
package struct UnstableState: Codable, Sendable {
    package typealias Kind = Contradiction.Kind

    /// What one of the looks showed, as far as it differs from the other.
    package struct Look: Codable, Hashable, Sendable {
        /// Why the store did not open; nil when it did.
        package var error: String?
        /// How many keys it showed.
        package var keyCount: Int?
        /// The first key that the looks differ in, as it prints, and what it held; no value where the key was not
        /// there.
        package var key: String?
        package var value: String?
        /// Both looks agree on the first recovery, and this is the second one of the same directory.
        package var isSecondRecovery: Bool?
        /// What became of a write after recovery, where the looks agree on everything else.
        package var probe: String?
    }

    package var kind: Kind
    package var profile: Profile
    package var crashPoint: Int
    /// What was lost, in words.
    package var lost: [String]
    package var first: Look
    package var second: Look
    /// The case's directory: it holds what each look showed, as a recover command prints it.
    package var `case`: String?
    /// Why there is no case; nil where there is one.
    package var caseProblem: String?
    /// The command that looks again.
    package var replay: String?

    package init(_ contradiction: Contradiction, lost: [String]) {
        kind = contradiction.kind
        profile = contradiction.state.profile
        crashPoint = contradiction.state.crashPoint
        self.lost = lost
        (first, second) = Look.pair(contradiction.first, contradiction.second)
    }
}

extension UnstableState.Look {
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
        if case .opened(let observation) = recovery { keyCount = observation.count }
    }

    private static func words(_ probe: Evidence.Probe?) -> String {
        switch probe {
        case nil: "not tried"
        case .kept: "kept"
        case .refused(let reason), .lost(let reason), .unkept(let reason): reason
        }
    }
}

import Model

/// The parameters of a power cut: `profile=ext4-ordered effect=seeded seed=7`, each word at most once, in any order.
/// The mount's options supply the defaults.
package struct CutRequest: Hashable, Sendable {
    package var profile: Profile
    package var effect: CrashEffect
    package var seed: UInt64

    package init(profile: Profile, effect: CrashEffect, seed: UInt64) {
        self.profile = profile
        self.effect = effect
        self.seed = seed
    }

    /// Parses the words of a `crash` command; missing words come from `defaults`.
    init(parsing text: some StringProtocol, defaults: CutRequest) throws(CommandError) {
        self = defaults
        var keys: Set<Substring> = []
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            let parts = String(word).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, keys.insert(parts[0]).inserted else { throw Self.error(String(word)) }
            switch parts[0] {
            case "profile":
                guard let profile = Profile(rawValue: String(parts[1])), profile != .block else {
                    let names = Profile.allCases.filter { $0 != .block }.map(\.rawValue)
                    throw CommandError(reason: "profile= must be one of \(names.joined(separator: ", "))")
                }
                self.profile = profile
            case "effect":
                guard let effect = CrashEffect(rawValue: String(parts[1])) else {
                    let names = CrashEffect.allCases.map(\.rawValue)
                    throw CommandError(reason: "effect= must be one of \(names.joined(separator: ", "))")
                }
                self.effect = effect
            case "seed":
                guard let seed = UInt64(parts[1]) else {
                    throw CommandError(reason: "seed= must be a number from 0 to 2^64-1")
                }
                self.seed = seed
            default: throw Self.error(String(word))
            }
        }
    }

    private static func error(_ word: String) -> CommandError {
        CommandError(
            reason: "'\(CommandError.excerpt(word))': a crash takes profile=P, effect=E and seed=N, each at most once")
    }
}

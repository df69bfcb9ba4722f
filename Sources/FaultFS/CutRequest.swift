import Model

/// What a power cut should leave: `profile=ext4-ordered effect=seeded seed=7`, each word at most once, in any order.
/// What is not said is as the mount's options say.
package struct CutRequest: Hashable, Sendable {
    package var profile: Profile
    package var effect: CrashEffect
    package var seed: UInt64

    package init(profile: Profile, effect: CrashEffect, seed: UInt64) {
        self.profile = profile
        self.effect = effect
        self.seed = seed
    }

    /// Reads the words of a command over what `usual` says.
    init(parsing text: some StringProtocol, usual: CutRequest) throws(Refusal) {
        self = usual
        var said: Set<Substring> = []
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            let parts = String(word).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, said.insert(parts[0]).inserted else { throw Self.refusal(String(word)) }
            switch parts[0] {
            case "profile":
                guard let profile = Profile(rawValue: String(parts[1])), profile != .block else {
                    let names = Profile.allCases.filter { $0 != .block }.map(\.rawValue)
                    throw Refusal(reason: "profile= is one of \(names.joined(separator: ", "))")
                }
                self.profile = profile
            case "effect":
                guard let effect = CrashEffect(rawValue: String(parts[1])) else {
                    let names = CrashEffect.allCases.map(\.rawValue)
                    throw Refusal(reason: "effect= is one of \(names.joined(separator: ", "))")
                }
                self.effect = effect
            case "seed":
                guard let seed = UInt64(parts[1]) else { throw Refusal(reason: "seed= is a number from 0 to 2^64-1") }
                self.seed = seed
            default: throw Self.refusal(String(word))
            }
        }
    }

    private static func refusal(_ word: String) -> Refusal {
        Refusal(reason: "'\(Refusal.shown(word))': a crash takes profile=P, effect=E and seed=N, each at most once")
    }
}

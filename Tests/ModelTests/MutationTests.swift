import Foundation
import Litmus
import Model
import Testing

/// A wrong entry in the table of profiles must not go unnoticed: each field of each profile is changed in turn, and some
/// litmus script must then have other outcomes than the ones written down in it.
struct MutationTests {
    struct Mutation: CustomStringConvertible {
        var description: String
        var rules: ProfileRules
    }

    static let scripts: [(script: LitmusScript, trace: LitmusTrace)] = LitmusTests.names.map { name in
        let text = try! String(contentsOf: LitmusTests.folder.appending(path: name), encoding: .utf8)
        let script = try! LitmusScript(name: name, text: text)
        return (script, try! LitmusTrace(script))
    }

    @Test(arguments: Profile.allCases) func `each changed rule of a profile changes the outcomes of a script`(
        _ profile: Profile
    ) throws {
        for mutation in MutationTests.mutations(of: profile) {
            #expect(try firstDifference(profile, mutation.rules) != nil, "\(profile.rawValue), \(mutation): unnoticed")
        }
    }

    @Test func `the unchanged rules give the outcomes of the scripts`() throws {
        for profile in Profile.allCases { #expect(try firstDifference(profile, profile.rules) == nil) }
    }

    private func firstDifference(_ profile: Profile, _ rules: ProfileRules) throws -> String? {
        for (script, trace) in MutationTests.scripts {
            guard let group = script.expected.first(where: { $0.profiles.contains(profile.rawValue) }) else { continue }
            let outcomes = try trace.outcomes(profile, rules: rules, unitBytes: script.unitBytes)
            if outcomes != group.outcomes { return script.name }
        }
        return nil
    }

    /// The rules with one field changed, for each field and each other value that means something else.
    static func mutations(of profile: Profile) -> [Mutation] {
        let rules = profile.rules
        var list: [Mutation] = []
        func mutate(_ name: String, _ change: (inout ProfileRules) -> Void) {
            var changed = rules
            change(&changed)
            if changed != rules { list.append(Mutation(description: name, rules: changed)) }
        }
        for order in ProfileRules.Order.allCases { mutate("order \(order)") { $0.order = order } }
        mutate("everythingPersists") { $0.everythingPersists.toggle() }
        // Where everything persists at once, nothing else has a meaning; under one order for everything sizes follow
        // all that came before, whatever the rule says.
        guard !rules.everythingPersists else { return list.filter { $0.description == "everythingPersists" } }
        // A device is one file: it has no names and does not grow, and every barrier is one for all of it.
        if rules.order != .total, profile != .block {
            mutate("growthFollowsMetadata") { $0.growthFollowsMetadata.toggle() }
            mutate("zeroingStopsGrowth") { $0.zeroingStopsGrowth.toggle() }
        }
        if profile != .block { mutate("renameSplits") { $0.renameSplits.toggle() } }
        // Under one order writes are torn at pages only.
        if rules.order != .total {
            mutate("smallestUnitBytes") { $0.smallestUnitBytes = 4096 + 512 - $0.smallestUnitBytes }
        }
        for scope in profile == .block ? [] : scopes(for: rules) {
            mutate("fsync \(scope)") { $0.fsync = scope }
            mutate("fdatasync \(scope)") { $0.fdatasync = scope }
        }
        return list
    }

    /// What a barrier could promise instead, by the profile's order.
    private static func scopes(for rules: ProfileRules) -> [ProfileRules.Scope] {
        let journal = ProfileRules.JournalMark.allCases.map { ProfileRules.Scope.journal(upTo: $0) }
        let slots = [(true, true), (true, false), (false, true), (false, false)]
            .map { ProfileRules.Scope.slots(attributes: $0.0, ownNames: $0.1) }
        return [.everything] + (rules.order == .slots || rules.logsSlots ? slots : journal)
    }

    /// The unit that a caller gets who asks for none.
    @Test(arguments: zip(Profile.allCases, [512, 512, 512, 512, 512, 512, 4096, 512, 4096] as [UInt64]))
    func `the default unit of each profile`(_ profile: Profile, _ bytes: UInt64) {
        #expect(PendingSet(profile: profile).unitBytes == bytes)
    }
}

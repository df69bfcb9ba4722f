import Litmus
import Model
import Testing

struct StateWalkerTests {
    /// The walk's hash of every state is the hash of the tree that the state leaves, computed anew, and it visits as
    /// many states as there are choices.
    @Test(arguments: 0..<4) func `the walk's hash of each state equals the hash of its tree`(_ part: UInt64) throws {
        var states = 0
        for seed in stride(from: part, to: 400, by: 4) {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            for profile in Profile.allCases {
                let set = trace.pendingSet(profile, unitBytes: script.unitBytes)
                var choices = 0
                set.forEachSurvivors { _ in
                    choices += 1
                    return choices < 300
                }
                guard choices < 300 else { continue }
                var walker = try StateWalker(set, payloads: trace.arena)
                var visited = 0
                repeat {
                    visited += 1
                    let tree = set.tree(walker.survivors())
                    let expected = try tree.hash(payloads: trace.arena)
                    guard walker.hash == expected else {
                        Issue.record("seed \(seed), \(profile.rawValue), state \(visited): \(trace.describe(tree))")
                        return
                    }
                } while try walker.next()
                #expect(visited == choices)
                states += visited
            }
        }
        #expect(states > 3000)
    }

    /// Asked for any choice the walker says the hash of its tree, also when it knows inodes from other sets; and blocks
    /// hold what single steps visit.
    @Test func `the hash of a chosen state equals the hash of its tree`() throws {
        var count = 0
        for seed in 0..<60 as Range<UInt64> {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            let known = NodeHashes()
            for profile in Profile.allCases {
                let set = trace.pendingSet(profile, unitBytes: script.unitBytes)
                var walker = try StateWalker(set, payloads: trace.arena, known: known)
                let choices = [Choice.nothing, .everything] + (0..<20 as Range<UInt64>).map { .seeded($0) }
                for choice in choices {
                    let survivors = set.survivors(choice)
                    let hash = try set.tree(survivors).hash(payloads: trace.arena)
                    try walker.choose(survivors)
                    #expect(walker.hash == hash, "seed \(seed), \(profile.rawValue), \(choice)")
                    #expect(walker.chosenSurvivors() == survivors, "seed \(seed), \(profile.rawValue), \(choice)")
                    count += 1
                }
                for part in walker.optionalEffects {
                    for isKept in [false, true] {
                        try walker.choose { ($0 == part) != isKept }
                        let survivors = walker.chosenSurvivors()
                        #expect(try walker.hash == set.tree(survivors).hash(payloads: trace.arena))
                        // It is a legal state: asked for what it lost, the set answers it and nothing less.
                        #expect(set.survivors(.losing(set.lost(survivors))) == survivors, "\(seed), \(profile)")
                    }
                }
                var taking = try StateWalker(set, payloads: trace.arena)
                var stepping = try StateWalker(set, payloads: trace.arena)
                var block = StateBlock()
                var taken = 0
                while taken < 300, try taking.take(7, into: &block) {
                    for (state, hash) in block.hashes.enumerated() {
                        if taken > 0 { #expect(try stepping.next()) }
                        #expect(hash == stepping.hash && taking.survivors(state, of: block) == stepping.survivors())
                        taken += 1
                    }
                }
                if taken < 300 { #expect(try !stepping.next()) }
            }
        }
        #expect(count > 10_000)
    }

    /// Trees that look the same have the same hash, however they came about; others have another.
    @Test func `equal visible trees have equal hashes, different trees different ones`() throws {
        var seen: [StateHash: String] = [:]
        var trees: [String: StateHash] = [:]
        for seed in 0..<60 as Range<UInt64> {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            let set = trace.pendingSet(.posixMin, unitBytes: script.unitBytes)
            var count = 0
            set.forEachSurvivors { survivors in
                let tree = set.tree(survivors)
                guard let hash = try? tree.hash(payloads: trace.arena) else { return false }
                let text = trace.describe(tree)
                #expect(seen[hash] ?? text == text)
                #expect(trees[text] ?? hash == hash)
                seen[hash] = text
                trees[text] = hash
                count += 1
                return count < 200
            }
        }
        #expect(trees.count > 500)
    }
}

import Litmus
import Model
import Testing

/// What differs between trees of one trace, told from their histories, is what a comparison of every inode finds.
struct TreeDifferencesTests {
    private func differing(_ one: Tree, _ two: Tree) -> Set<InodeID> {
        Set(one.nodes.keys).union(two.nodes.keys).filter { one.nodes[$0] != two.nodes[$0] }
    }

    /// The sets after each event of a trace, as an exploration keeps them.
    private func sets(_ trace: LitmusTrace, _ profile: Profile, unitBytes: UInt64) -> [PendingSet] {
        var set = PendingSet(profile: profile, unitBytes: unitBytes)
        return [set]
            + trace.events.map { event in
                set.add(event)
                return set
            }
    }

    @Test(arguments: 0..<30 as Range<UInt64>) func `histories tell what differs`(seed: UInt64) throws {
        let script = try TraceGenerator.script(seed: seed)
        let trace = try LitmusTrace(script)
        var random = RandomStream(seed: seed)
        for profile in [Profile.strict, .ext4Ordered, .posixMin] {
            let trees = sets(trace, profile, unitBytes: script.unitBytes).enumerated().map { number, set in
                set.tree(set.survivors(.seeded(UInt64(number))))
            }
            for _ in 0..<100 {
                let (one, two) = (trees.randomElement(using: &random)!, trees.randomElement(using: &random)!)
                #expect(Set(two.inodesChanged(since: one)) == differing(one, two))
                var changed = two
                changed.nodes[.root]!.attributes.mode ^= 1
                changed.apply(.resize(trees[0].nodes.keys.min()!, to: 77))
                #expect(Set(changed.inodesChanged(since: two)) == differing(two, changed))
                #expect(Set(two.inodesChanged(since: changed)) == differing(two, changed))
            }
        }
    }

    /// Epochs are walked on several threads: what is known is of a later epoch as often as of an earlier one.
    @Test(arguments: 0..<20 as Range<UInt64>) func `hashes that are known from other epochs are right`(seed: UInt64)
        throws
    {
        let script = try TraceGenerator.script(seed: seed)
        let trace = try LitmusTrace(script)
        var random = RandomStream(seed: seed)
        let known = NodeHashes()
        for profile in [Profile.strict, .xfs, .posixMin] {
            let sets = sets(trace, profile, unitBytes: script.unitBytes)
            for _ in 0..<40 {
                let set = sets.randomElement(using: &random)!
                let walker = try StateWalker(set, payloads: trace.arena, known: known)
                #expect(try walker.hash == set.tree(walker.survivors()).hash(payloads: trace.arena))
            }
        }
    }
}

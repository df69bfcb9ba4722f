import Litmus
import Model
import Testing

struct StateIndexTests {
    @Test func itKeepsWhatADictionaryKeeps() throws {
        var (index, dictionary) = (StateIndex(), [StateHash: Int32]())
        for seed in 0..<200 as Range<UInt64> {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            var walker = try StateWalker(
                trace.pendingSet(.posixMin, unitBytes: script.unitBytes), payloads: trace.arena)
            var count: Int32 = 0
            repeat {
                #expect(index[walker.hash] == dictionary[walker.hash])
                index[walker.hash] = count
                dictionary[walker.hash] = count
                count += 1
            } while try count < 500 && walker.next()
        }
        #expect(index.count == dictionary.count && index.count > 1000)
        for (hash, number) in dictionary { #expect(index[hash] == number) }
    }

    /// What a cache that has seen other trees says is what is worked out anew.
    @Test func aCachedHashIsTheTreesHash() throws {
        var count = 0
        for seed in 0..<60 as Range<UInt64> {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            let set = trace.pendingSet(.posixMin, unitBytes: script.unitBytes)
            var cache = TreeHashCache(payloads: trace.arena)
            for choice in 0..<30 as Range<UInt64> {
                let tree = set.tree(set.survivors(.seeded(choice)))
                #expect(try cache.hash(tree) == tree.hash(payloads: trace.arena))
                count += 1
            }
        }
        #expect(count == 1800)
    }
}

import Exploration
import Litmus
import Model
import Testing

struct StateIndexTests {
    @Test func itKeepsWhatADictionaryKeeps() throws {
        let index = StateIndex()
        var dictionary = [StateHash: Int32]()
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
}

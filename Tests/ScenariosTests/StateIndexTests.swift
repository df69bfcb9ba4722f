import Exploration
import Litmus
import Model
import Testing

struct StateIndexTests {
    @Test func itKeepsWhatADictionaryKeeps() throws {
        let index = try StateIndex()
        var dictionary = [StateHash: Int32]()
        for seed in 0..<200 as Range<UInt64> {
            let script = try TraceGenerator.script(seed: seed)
            let trace = try LitmusTrace(script)
            var walker = try StateWalker(
                trace.pendingSet(.posixMin, unitBytes: script.unitBytes), payloads: trace.arena)
            var count: Int32 = 0
            repeat {
                #expect(index[walker.hash] == dictionary[walker.hash])
                try index.set(walker.hash, count)
                dictionary[walker.hash] = count
                count += 1
            } while try count < 500 && walker.next()
        }
        #expect(index.count == dictionary.count && index.count > 1000)
        for (hash, number) in dictionary { #expect(index[hash] == number) }
    }

    /// Enough for every shard to grow many times and for a second piece of memory, with numbers of both signs.
    @Test func itKeepsAMillion() throws {
        let index = try StateIndex()
        let count: Int32 = 1_200_000
        func hash(_ number: Int32) -> StateHash {
            withUnsafeBytes(of: number) { StateHash(of: Array($0)) }
        }
        var known = 0
        for number in 0..<count where try index.insert(hash(number), number % 2 == 0 ? number : -1 - number) != nil {
            known += 1
        }
        #expect(known == 0)
        index.prefetch([hash(1), hash(2)])
        #expect(try index.insert(hash(7), 0) == -8)
        try index.set(hash(8), -5)
        #expect(index[hash(8)] == -5 && index[hash(9)] == -10 && index[hash(count)] == nil)
        var (states, sum) = (0, 0)
        index.forEachState { _, number in
            states += 1
            sum += Int(number)
        }
        #expect(states == Int(count) && index.count == states)
        // Each pair 2n, -2 - 2n adds -2; the eight became -5.
        #expect(sum == -Int(count) - 13)
        let missing = (0..<count).filter { $0 != 8 && index[hash($0)] != ($0 % 2 == 0 ? $0 : -1 - $0) }
        #expect(missing.isEmpty)
    }
}

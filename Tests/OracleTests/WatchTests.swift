import Testing

@testable import Oracle

@Suite struct WatchTests {
    /// What streams past a watched value says the same of it as the plain fold over the history: for values of all
    /// sizes around eight bytes, of few different bytes, so that starts, ends and whole values are often shared.
    @Test func shortcutsSayWhatTheWholeComparisonSays() {
        var random = Seeded(3)
        var mixes = 0
        for round in 0..<20_000 {
            func bytes() -> [UInt8] { (0..<6 + Int(random.next() % 14)).map { _ in random.chance(1, in: 8) ? 1 : 0 } }
            let value = bytes()
            var watch = Watch(value)
            var recall = Recall()
            for line in 1...3 {
                var payload: [UInt8]? = bytes()
                switch random.next() % 8 {
                case 0: payload = value
                case 1: payload = nil
                case 2: payload = value.enumerated().map { $0.offset < value.count / 2 ? $0.element ^ 1 : $0.element }
                case 3: payload = value.enumerated().map { $0.offset < value.count / 2 ? $0.element : $0.element ^ 1 }
                default: break
                }
                watch.note(payload, at: line)
                recall.note(payload, at: line, for: value)
            }
            #expect(watch.recall.isKnown == recall.isKnown)
            #expect(watch.recall.isHeld == recall.isHeld)
            #expect(watch.recall.firstHeld == recall.firstHeld)
            #expect(watch.recall.isMix(of: value) == recall.isMix(of: value), "round \(round): \(value)")
            mixes += recall.isMix(of: value) ? 1 : 0
        }
        #expect(mixes > 1_000)
    }
}

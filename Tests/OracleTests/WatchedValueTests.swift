import Testing

@testable import Oracle

@Suite struct WatchedValueTests {
    /// The streaming history equals the plain fold over all payloads. Values have sizes around eight bytes and few
    /// distinct bytes, so that prefixes, suffixes and whole values are often shared.
    @Test func `shortcuts agree with the whole comparison`() {
        var random = Seeded(3)
        var mixes = 0
        for round in 0..<20_000 {
            func bytes() -> [UInt8] { (0..<6 + Int(random.next() % 14)).map { _ in random.chance(1, in: 8) ? 1 : 0 } }
            let value = bytes()
            var watch = WatchedValue(value)
            var history = ValueHistory()
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
                history.note(payload, at: line, for: value)
            }
            #expect(watch.history.isKnown == history.isKnown)
            #expect(watch.history.isHeld == history.isHeld)
            #expect(watch.history.firstHeld == history.firstHeld)
            #expect(watch.history.isMix(of: value) == history.isMix(of: value), "round \(round): \(value)")
            mixes += history.isMix(of: value) ? 1 : 0
        }
        #expect(mixes > 1_000)
    }
}

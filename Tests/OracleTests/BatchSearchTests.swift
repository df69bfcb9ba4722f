import Bytes
import Testing

@testable import Oracle

/// `BatchSearch` compared with trying every choice.
@Suite struct BatchSearchTests {
    /// A random test case.
    private struct Maker {
        var random: Seeded
        var batches: [(begin: ClosedRange<Int>, closed: Int)] = []
        var line = 0

        init(seed: UInt64) { random = Seeded(seed) }

        /// Batches in flight, failed or left open, over lines that may overlap.
        mutating func makeBatches() {
            for _ in 0..<Int(2 + random.next() % 5) {
                let begin = line + Int(random.next() % 3)
                line = begin + 1 + Int(random.next() % 6)
                let closed = random.chance(1, in: 3) ? .max : line + Int(random.next() % 12)
                batches.append((begin...line, closed))
                line = max(0, line - Int(random.next() % 5))
            }
        }

        mutating func payload() -> [UInt8]? { random.chance(1, in: 5) ? nil : [UInt8(random.next() % 3)] }

        /// A key's operations, each on its own line (`slot` separates keys), at least one of them certain.
        mutating func versions(_ slot: Int) -> [Version] {
            var versions = [Version.absent]
            for (index, batch) in batches.enumerated() {
                for begin in batch.begin where random.chance(1, in: 3) {
                    guard !versions.contains(where: { $0.begin == begin * 8 + slot + 1 }) else { continue }
                    versions.append(
                        Version(
                            payload: payload(), seq: 0, begin: begin * 8 + slot + 1,
                            closed: batch.closed == .max ? .max : batch.closed * 8 + 7, isCertain: false,
                            batch: index + 1))
                }
            }
            for _ in 0..<Int(random.next() % 3) {
                let begin = Int(random.next() % UInt64(line + 2)) * 8 + slot + 1
                guard !versions.contains(where: { $0.begin == begin }) else { continue }
                let closed = begin + Int(random.next() % 60)
                versions.append(
                    Version(
                        payload: payload(), seq: 0, begin: begin, closed: closed, isCertain: random.chance(1, in: 2),
                        batch: 0))
            }
            return versions.sorted { $0.begin < $1.begin }
        }
    }

    private struct Key {
        var payload: [UInt8]?
        var versions: [Version]

        /// Whether the key may have its payload if exactly these of the undecided batches happened.
        func isExplained(by happened: Set<Int>, _ order: Order) -> Bool {
            func didHappen(_ version: Version) -> Bool { version.isCertain || happened.contains(version.batch) }
            return versions.contains { version in
                guard version.payload == payload, !version.isUndecided || didHappen(version) else { return false }
                return !versions.contains { didHappen($0) && $0.replaces(version, order) }
            }
        }
    }

    @Test(arguments: [Order.realTime, .singleWriter])
    func `agrees with trying every choice`(order: Order) {
        var (contradictory, explained) = (0, 0)
        for seed in UInt64(1)...2500 {
            var maker = Maker(seed: seed)
            maker.makeBatches()
            var keys: [Key] = []
            for slot in 0..<Int(1 + maker.random.next() % 5) {
                let versions = maker.versions(slot)
                let payload = maker.payload()
                guard versions.allow(payload, order), versions.contains(where: \.isUndecided) else { continue }
                keys.append(Key(payload: payload, versions: versions))
            }
            var search = BatchSearch()
            for (number, key) in keys.enumerated() {
                search.add(BatchKey(number: number, payload: key.payload, versions: key.versions, order: order))
            }
            let isExplained = (0..<1 << maker.batches.count).contains { choice in
                let happened = Set(maker.batches.indices.filter { choice >> $0 & 1 == 1 }.map { $0 + 1 })
                return keys.allSatisfy { $0.isExplained(by: happened, order) }
            }
            #expect(search.contradictions().isEmpty == isExplained, "seed \(seed): \(keys)")
            if isExplained { explained += 1 } else { contradictory += 1 }
        }
        #expect(contradictory > 200 && explained > 200, "\(contradictory) of \(contradictory + explained)")
    }
}

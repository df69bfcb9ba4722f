import Model
import Runs
import Testing

/// How growth without bound is told from a warm-up, a level and noise, on synthetic series.
struct GrowthJudgeTests {
    private static let megabyte = 1024.0 * 1024

    /// A life of 4,000 operations, sampled every 40, whose values are functions of the operations.
    private static func life(
        _ memory: (Double) -> Double, descriptors: (Double) -> Double = { _ in 9 }
    ) -> [GrowthJudge.Sample] {
        stride(from: 0, through: 4000, by: 40).map { count in
            GrowthJudge.Sample(
                operations: count,
                values: [.memory: memory(Double(count)), .descriptors: descriptors(Double(count)), .threads: 1])
        }
    }

    private static func leaks(_ lives: Int, of life: [GrowthJudge.Sample]) -> [Growth] {
        var judge = GrowthJudge()
        for _ in 0..<lives { judge.add(life: life) }
        return judge.leaks()
    }

    /// What grows over so many cycles, of which each adds `value` of its number, with noise of up to `noise`.
    private static func growth(
        of measure: SoakMeasure, over cycles: Int, noise: Double = 0, _ value: (Double) -> Double
    ) -> [Growth] {
        var (judge, found) = (GrowthJudge(), [Growth]())
        var draws = RandomStream(seed: 1).stream("noise")
        for cycle in 0..<cycles {
            let random = Double(draws.next(upperBound: 1_000_001 as UInt64)) / 1_000_000
            judge.add(cycle: [measure: value(Double(cycle)) + noise * random])
            // A look each tenth cycle, as a soak looks each minute.
            if cycle % 10 == 9 { found = judge.growths() }
        }
        return found
    }

    @Test func `a kilobyte an operation is a leak after four lives`() throws {
        let leaking = Self.life { 20 * Self.megabyte + 1024 * $0 }
        #expect(Self.leaks(3, of: leaking).isEmpty)
        let leak = try #require(Self.leaks(4, of: leaking).first)
        #expect(leak.kind == .leak && leak.measure == .memory && leak.count == 4)
        #expect(abs(leak.rise - 1024 * 1000) < 1)
    }

    @Test func `a descriptor a rotation is a leak`() throws {
        let leaking = Self.life { _ in
            20 * Self.megabyte
        } descriptors: {
            9 + ($0 / 50).rounded(.down)
        }
        let leak = try #require(Self.leaks(4, of: leaking).first)
        #expect(leak.measure == .descriptors && (19...21).contains(leak.rise))
    }

    @Test func `a warm-up in the first half of a life is no leak`() {
        let warming = Self.life { 20 * Self.megabyte + 2048 * min($0, 2000) }
        #expect(Self.leaks(8, of: warming).isEmpty)
    }

    @Test func `a sawtooth is no leak`() {
        // A compaction each 500 operations gives back what was taken since.
        let saw = Self.life {
            20 * Self.megabyte + 1024 * $0.truncatingRemainder(dividingBy: 500)
        } descriptors: {
            9 + ($0 / 100).rounded(.down).truncatingRemainder(dividingBy: 5)
        }
        #expect(Self.leaks(8, of: saw).isEmpty)
    }

    @Test func `one life in four that grows is no leak`() {
        var judge = GrowthJudge()
        for number in 0..<12 {
            judge.add(life: Self.life { 20 * Self.megabyte + (number % 3 == 0 ? 1024 * $0 : 0) })
        }
        #expect(judge.leaks().isEmpty)
    }

    @Test func `a life that is too short is not judged`() {
        var judge = GrowthJudge()
        for _ in 0..<8 { judge.add(life: Array(Self.life { 1024 * $0 }.prefix(8))) }
        #expect(judge.lifeCount == 0 && !judge.hasJudged)
    }

    @Test(arguments: [60, 600, 3000])
    func `a store that keeps each cycle's files grows`(cycles: Int) throws {
        let step = 40 * Self.megabyte / Double(cycles)
        let growth = try #require(
            Self.growth(of: .storeBytes, over: cycles, noise: Self.megabyte) { step * $0 }.first)
        #expect(growth.kind == .acrossCycles && growth.measure == .storeBytes)
    }

    @Test func `a descriptor a cycle of our own is growth`() {
        #expect(Self.growth(of: .ownDescriptors, over: 60) { 10 + $0 }.map(\.measure) == [.ownDescriptors])
    }

    @Test(arguments: [60, 600, 3000])
    func `noise around a level is no growth`(cycles: Int) {
        #expect(Self.growth(of: .memory, over: cycles, noise: 30 * Self.megabyte) { _ in 20 * Self.megabyte } == [])
    }

    @Test(arguments: [60, 600, 3000])
    func `a rise to a level is no growth`(cycles: Int) {
        // Two thirds of the way to 60 MB in the first fifth of the run.
        let grown = Self.growth(of: .storeBytes, over: cycles, noise: Self.megabyte) {
            60 * Self.megabyte * $0 / ($0 + Double(cycles) / 10)
        }
        #expect(grown == [])
    }

    @Test func `a single jump to a higher level is no growth`() {
        #expect(
            Self.growth(of: .memory, over: 300, noise: Self.megabyte) { ($0 < 200 ? 20 : 40) * Self.megabyte } == [])
    }

    @Test func `a small steady rise is no growth`() {
        // Five percent over the run, far below a tenth of the level.
        #expect(
            Self.growth(of: .ownMemory, over: 600, noise: Self.megabyte) { 80 * Self.megabyte * (1 + 0.05 * $0 / 600) }
                == [])
    }
}

import Bytes
import Oracle
import Testing

/// The validator against the naive one: for each random tiny history, at each of its lines, every possible state is
/// judged by both, and both of the validator's memories must say the same to the letter.
@Suite struct ValidatorPropertyTests {
    static let histories = 25
    static let firstSeed: UInt64 = 1

    @Test(arguments: HistoryGenerator.Shape.allCases)
    func agreesWithTryingEveryOrder(shape: HistoryGenerator.Shape) throws {
        var legal = 0
        var judged = 0
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.histories) {
            let history = HistoryGenerator(seed: seed, shape: shape, operations: 5)
            var whole = Validator()
            for (index, line) in history.lines.enumerated() { try whole.apply(line, at: index + 1) }
            for lines in 1...history.lines.count {
                let naive = history.naive[lines]
                let durable = naive.states(atomic: false)
                let atomic = naive.states(atomic: true)
                let ordered = shape == .pipelined ? naive.singleWriterStates : []
                for state in HistoryGenerator.universe {
                    func check(_ contract: Contract, _ states: Set<NaiveValidator.State>) {
                        let verdict = whole.judge(Observation(state), contract: contract, at: lines).verdict
                        #expect(
                            (verdict == .pass) == states.contains(state),
                            "seed \(seed), \(shape), \(contract.name), after \(lines) of \(history.lines): \(state)")
                        legal += verdict == .pass ? 1 : 0
                        judged += 1
                    }
                    check(.durable, durable)
                    check(.transactional, atomic)
                    if shape == .pipelined { check(.ordered, ordered) }
                }
            }
        }
        #expect(legal > judged / 20 && legal < judged / 2, "\(legal) legal of \(judged): the histories say little")
    }

    @Test(arguments: HistoryGenerator.Shape.allCases)
    func bothMemoriesSayTheSameAtEachLine(shape: HistoryGenerator.Shape) throws {
        for seed in Self.firstSeed..<Self.firstSeed + 12 {
            let history = HistoryGenerator(seed: seed, shape: shape, operations: 7)
            var whole = Validator()
            for (index, line) in history.lines.enumerated() { try whole.apply(line, at: index + 1) }
            for state in HistoryGenerator.universe {
                let observation = Observation(state)
                var streamed = Validator(.watching(observation))
                for (index, line) in history.lines.enumerated() {
                    try streamed.apply(line, at: index + 1)
                    guard index % 3 == 0 || index == history.lines.count - 1 else { continue }
                    for contract in Contract.named {
                        #expect(
                            streamed.judge(observation, contract: contract)
                                == whole.judge(observation, contract: contract, at: index + 1),
                            "seed \(seed), \(shape), \(contract.name), after \(index + 1) of \(history.lines): \(state)"
                        )
                    }
                }
            }
        }
    }
}

import Bytes
import Oracle
import Synchronization
import Testing

/// The validator compared with the naive one: for each tiny random history, at each line, both judge every possible
/// state. The two memory modes of the validator must give identical judgements.
@Suite struct ValidatorPropertyTests {
    static let histories = 25
    static let firstSeed: UInt64 = 1

    @Test(arguments: HistoryGenerator.Shape.allCases)
    func `agrees with trying every order`(shape: HistoryGenerator.Shape) throws {
        var legal = 0
        var judged = 0
        for seed in Self.firstSeed..<Self.firstSeed + UInt64(Self.histories) {
            let history = HistoryGenerator(seed: seed, shape: shape, operations: 5)
            var whole = Validator()
            for number in 1...history.lines.count { try history.apply(number, to: &whole) }
            for lines in 1...history.lines.count {
                let naive = history.naive[lines]
                let universe = HistoryGenerator.universe
                let durable = shape == .plain ? naive.plainStates(among: universe) : naive.states(atomic: false)
                let atomic = shape == .plain ? durable : naive.states(atomic: true)
                let past = Set(shape == .plain ? [] : universe.filter(naive.isOfThePast))
                let ordered = shape == .pipelined ? naive.singleWriterStates : []
                for state in universe {
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
                    if shape != .plain { check(.prefix, past) }
                    if shape == .pipelined { check(.ordered, ordered) }
                }
            }
        }
        #expect(legal > judged / 20 && legal < judged * 4 / 5, "\(legal) legal of \(judged): the histories say little")
    }

    @Test(arguments: HistoryGenerator.Shape.allCases)
    func `both memory modes agree at each line`(shape: HistoryGenerator.Shape) throws {
        for seed in Self.firstSeed..<Self.firstSeed + 12 {
            let history = HistoryGenerator(seed: seed, shape: shape, operations: 7)
            var whole = Validator()
            for number in 1...history.lines.count { try history.apply(number, to: &whole) }
            for state in HistoryGenerator.universe {
                let observation = Observation(state)
                var streamed = Validator(.watching(observation))
                for number in 1...history.lines.count {
                    try history.apply(number, to: &streamed)
                    guard number % 3 == 1 || number == history.lines.count else { continue }
                    for contract in Contract.named where !contract.allowsLostTail {
                        #expect(
                            streamed.judge(observation, contract: contract)
                                == whole.judge(observation, contract: contract, at: number),
                            "seed \(seed), \(shape), \(contract.name), after \(number) of \(history.lines): \(state)"
                        )
                    }
                }
            }
        }
    }

    /// Stores every payload, or only some.
    private final class SpillStore: PayloadSpillStore {
        let everything: Bool
        let kept = Mutex<[[UInt8]]>([])
        init(everything: Bool) { self.everything = everything }
        func put(_ payload: [UInt8]) -> UInt64? {
            kept.withLock { kept in
                kept.append(payload)
                return everything || kept.count % 2 == 0 ? UInt64(kept.count - 1) : nil
            }
        }
        func payload(at place: UInt64, countBytes: Int) -> [UInt8] {
            let payload = kept.withLock { $0[Int(place)] }
            #expect(payload.count == countBytes)
            return payload
        }
    }

    @Test(arguments: HistoryGenerator.Shape.allCases)
    func `payloads in a spill store are judged like payloads in memory`(shape: HistoryGenerator.Shape) throws {
        for seed in Self.firstSeed..<Self.firstSeed + 6 {
            let history = HistoryGenerator(seed: seed, shape: shape, operations: 6)
            let spillStores = [SpillStore(everything: true), SpillStore(everything: false)]
            var validators = [Validator()] + spillStores.map { Validator(spillStore: $0) }
            for index in validators.indices {
                for number in 1...history.lines.count { try history.apply(number, to: &validators[index]) }
            }
            #expect(spillStores.allSatisfy { !$0.kept.withLock { $0.isEmpty } })
            for state in HistoryGenerator.universe {
                for contract in Contract.named {
                    for line in 1...history.lines.count {
                        let judgements = validators.map { $0.judge(Observation(state), contract: contract, at: line) }
                        #expect(judgements[1] == judgements[0] && judgements[2] == judgements[0])
                    }
                    let controls = validators.map {
                        PositiveControl.run($0, Observation(state), contract: contract).map { "\($0)" }
                    }
                    #expect(controls[1] == controls[0] && controls[2] == controls[0])
                }
            }
        }
    }
}

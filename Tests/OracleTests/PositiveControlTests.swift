import Bytes
import Oracle
import Testing

/// Mutation tests of the validator: good states pass, and each defect is detected by the right check.
@Suite struct PositiveControlTests {
    /// One writer, 400 operations on 40 keys, some in batches of three, every ninth a delete; all acknowledged except
    /// the last few.
    static func history(seed: UInt64, intents: Bool) -> (lines: [OracleLine], states: [Observation]) {
        var random = Seeded(seed)
        var lines: [OracleLine] = []
        var contents: [ByteString: [UInt8]] = [:]
        var seq: UInt64 = 0
        // After each line, the state without the operations in flight.
        var states: [Observation] = []
        while seq < 400 {
            let size = random.chance(1, in: 4) ? 3 : 1
            let txn = size == 1 ? nil : seq + 1
            let keys = (0..<40).shuffled(using: &random).prefix(size)
            var batch: [OracleOperation] = []
            for key in keys {
                seq += 1
                let name = ByteString("key-\(key)")
                let payload = (0..<24).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                batch.append(seq % 9 == 0 ? .delete(seq, name, txn: txn) : .put(seq, name, payload, txn: txn))
            }
            if intents {
                for operation in batch {
                    lines.append(.begin(operation))
                    states.append(Observation(contents))
                }
                if seq >= 400 { break }
            }
            for operation in batch { contents[operation.key] = operation.action.payload }
            for operation in batch {
                lines.append(.acknowledged(operation))
                states.append(Observation(contents))
            }
        }
        return (lines, states)
    }

    @Test(arguments: [true, false], Contract.named)
    func `every mutation is detected by its check`(intents: Bool, contract: Contract) throws {
        for seed in UInt64(1)...3 {
            let (lines, states) = Self.history(seed: seed, intents: intents)
            let observation = states.last!
            for memory in contract.allowsLostTail
                ? [.everything] : [Validator.Memory.everything, .watching(observation)]
            {
                var validator = Validator(memory)
                for (index, line) in lines.enumerated() { try validator.apply(line, at: index + 1) }
                #expect(validator.judge(observation, contract: contract).verdict == .pass, "seed \(seed)")
                let results = PositiveControl.run(validator, observation, contract: contract)
                // There is no complaint to invent for a store without a checker of its own.
                #expect(Set(results.map(\.mutation.check)) == contract.checks.subtracting([.consistent]))
                for result in results { #expect(result.outcome == .detected, "seed \(seed), \(result)") }
                #expect(PositiveControl.verdict(.pass, after: results) == .pass)
            }
        }
    }

    @Test func `a complaint is tried on a store with a checker of its own`() throws {
        let (lines, states) = Self.history(seed: 1, intents: true)
        var validator = Validator()
        for (index, line) in lines.enumerated() { try validator.apply(line, at: index + 1) }
        var observation = states.last!
        observation.ownCheck = .passed
        let results = PositiveControl.run(validator, observation, contract: .ordered)
        #expect(Set(results.map(\.mutation.check)) == Contract.ordered.checks)
        #expect(results.allSatisfy { $0.outcome == .detected })
    }

    @Test func `controls work at every line of a history`() throws {
        let (lines, states) = Self.history(seed: 7, intents: true)
        var validator = Validator()
        for (index, line) in lines.enumerated() { try validator.apply(line, at: index + 1) }
        for line in stride(from: 1, through: lines.count, by: 13) {
            let observation = states[line - 1]
            for contract in Contract.named {
                #expect(validator.judge(observation, contract: contract, at: line).verdict == .pass, "line \(line)")
                for result in PositiveControl.run(validator, observation, contract: contract, at: line) {
                    #expect(!result.isMissed, "line \(line), \(contract.name): \(result)")
                    if line > 300 { #expect(result.outcome == .detected, "line \(line), \(contract.name): \(result)") }
                }
            }
        }
    }

    static let notFormed: [(history: String, observed: String, contract: Contract, mutation: Mutation, words: String)] =
        [
            ("+a=x", "", .durable, .lostAcknowledgement, "no key has an acknowledged value"),
            ("+a=x !1", "a=x", .durable, .oldValue, "older value"),
            ("+a=x !1", "a=x", .durable, .mixedValue, "older value"),
            ("+a=x !1 +a=y !2", "a=y", .durable, .mixedValue, "can be mixed"),
            ("+a=x !1", "a=x", .durable, .resurrectedDelete, "no key is known to be deleted"),
            ("+a=x !1", "a=x", .ordered, .hole, "no two keys"),
            ("a=x b=y c=z", "a=x b=y c=z", .orderedPrefix, .hole, "no two keys"),
            ("+a=x/1 !1 +b=y !2", "a=x b=y", .transactional, .halfBatch, "no acknowledged batch"),
            ("a=x", "a=x", .durable, .lostAcknowledgement, "1 key can be made wrong"),
        ]

    @Test(arguments: notFormed) func `a mutation that is not applicable is listed with the reason`(
        history: String, observed: String, contract: Contract, mutation: Mutation, words: String
    ) throws {
        let observation = Script.observation(observed)
        for memory in [Validator.Memory.everything, .watching(observation)] {
            let results = PositiveControl.run(try Script(history).validator(memory), observation, contract: contract)
            let result = try #require(results.first { $0.mutation == mutation })
            guard case .notApplicable(let reason) = result.outcome else {
                Issue.record("\(result)")
                return
            }
            #expect(reason.contains(words), "\(reason)")
        }
    }

    @Test func `a missed mutation is a harness error`() {
        let missed = ControlResult(mutation: .hole, outcome: .missed(verdict: .pass))
        let detected = ControlResult(mutation: .extraKey, outcome: .detected)
        for verdict in Verdict.allCases {
            #expect(PositiveControl.verdict(verdict, after: [detected, missed]) == .harnessError)
            #expect(PositiveControl.verdict(verdict, after: [detected]) == verdict)
        }
    }

    @Test func `a check that is already violated is not tried`() throws {
        let validator = try Script("+a=x !1 +b=y !2").validator(.everything)
        let results = PositiveControl.run(validator, Script.observation("a=x"), contract: .durable)
        #expect(results.first { $0.mutation == .lostAcknowledgement }?.outcome == .alreadyBroken)
        #expect(results.first { $0.mutation == .extraKey }?.outcome == .detected)
    }

    /// Each mutation violates its own check and, if it is a single defect, no other.
    @Test func `mutations violate their own check`() throws {
        let (lines, states) = Self.history(seed: 5, intents: true)
        var validator = Validator()
        for (index, line) in lines.enumerated() { try validator.apply(line, at: index + 1) }
        let observation = states.last!
        var wrong = observation
        let key = observation.entries[3].key
        wrong[key] = nil
        #expect(validator.judge(wrong, contract: .durable).broken == [.durable])
        wrong[key] = observation[key]!.map { $0 ^ 1 }
        #expect(validator.judge(wrong, contract: .durable).broken == [.payloadIntegrity])
        wrong = observation
        wrong["unheard-of"] = []
        #expect(validator.judge(wrong, contract: .durable).broken == [.noExtras])
    }
}

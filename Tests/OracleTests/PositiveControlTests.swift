import Bytes
import Oracle
import Testing

/// The validator tested by mutation: good states pass, and each way of being wrong is named by the right check.
@Suite struct PositiveControlTests {
    /// One writer, 400 operations on 40 keys, some in batches of three, every ninth a delete; all acknowledged but
    /// the last few.
    static func history(seed: UInt64, intents: Bool) -> (lines: [OracleLine], states: [Observation]) {
        var random = Seeded(seed)
        var lines: [OracleLine] = []
        var contents: [ByteString: [UInt8]] = [:]
        var seq: UInt64 = 0
        // After each line, the state in which nothing in flight has happened.
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
    func everyWayOfBeingWrongIsFlaggedByItsCheck(intents: Bool, contract: Contract) throws {
        for seed in UInt64(1)...3 {
            let (lines, states) = Self.history(seed: seed, intents: intents)
            let observation = states.last!
            for memory in contract.forgivesTail ? [.everything] : [Validator.Memory.everything, .watching(observation)]
            {
                var validator = Validator(memory)
                for (index, line) in lines.enumerated() { try validator.apply(line, at: index + 1) }
                #expect(validator.judge(observation, contract: contract).verdict == .pass, "seed \(seed)")
                let results = PositiveControl.run(validator, observation, contract: contract)
                #expect(Set(results.map(\.mutation.check)) == contract.checks)
                for result in results { #expect(result.outcome == .flagged, "seed \(seed), \(result)") }
                #expect(PositiveControl.verdict(.pass, after: results) == .pass)
            }
        }
    }

    @Test func controlsHoldAtEveryLineOfAHistory() throws {
        let (lines, states) = Self.history(seed: 7, intents: true)
        var validator = Validator()
        for (index, line) in lines.enumerated() { try validator.apply(line, at: index + 1) }
        for line in stride(from: 1, through: lines.count, by: 13) {
            let observation = states[line - 1]
            for contract in Contract.named {
                #expect(validator.judge(observation, contract: contract, at: line).verdict == .pass, "line \(line)")
                for result in PositiveControl.run(validator, observation, contract: contract, at: line) {
                    #expect(!result.isMissed, "line \(line), \(contract.name): \(result)")
                    if line > 300 { #expect(result.outcome == .flagged, "line \(line), \(contract.name): \(result)") }
                }
            }
        }
    }

    static let notFormed: [(history: String, observed: String, contract: Contract, mutation: Mutation, words: String)] =
        [
            ("+a=x", "", .durable, .lostAcknowledgement, "no key is at an acknowledged value"),
            ("+a=x !1", "a=x", .durable, .oldValue, "older value"),
            ("+a=x !1", "a=x", .durable, .mixedValue, "older value"),
            ("+a=x !1 +a=y !2", "a=y", .durable, .mixedValue, "can be mixed"),
            ("+a=x !1", "a=x", .durable, .resurrectedDelete, "no key is known whose delete"),
            ("+a=x !1", "a=x", .ordered, .hole, "no two keys"),
            ("a=x b=y c=z", "a=x b=y c=z", .orderedPrefix, .hole, "no two keys"),
            ("+a=x/1 !1 +b=y !2", "a=x b=y", .transactional, .halfBatch, "no acknowledged batch"),
            ("a=x", "a=x", .durable, .lostAcknowledgement, "1 key could be made wrong"),
        ]

    @Test(arguments: notFormed) func whatCannotBeMadeIsSaid(
        history: String, observed: String, contract: Contract, mutation: Mutation, words: String
    ) throws {
        let observation = Script.observation(observed)
        for memory in [Validator.Memory.everything, .watching(observation)] {
            let results = PositiveControl.run(try Script(history).validator(memory), observation, contract: contract)
            let result = try #require(results.first { $0.mutation == mutation })
            guard case .notFormed(let reason) = result.outcome else {
                Issue.record("\(result)")
                return
            }
            #expect(reason.contains(words), "\(reason)")
        }
    }

    @Test func aControlThatPassesIsAHarnessError() {
        let missed = ControlResult(mutation: .hole, outcome: .missed(verdict: .pass))
        let flagged = ControlResult(mutation: .extraKey, outcome: .flagged)
        for verdict in Verdict.allCases {
            #expect(PositiveControl.verdict(verdict, after: [flagged, missed]) == .harnessError)
            #expect(PositiveControl.verdict(verdict, after: [flagged]) == verdict)
        }
    }

    @Test func whatIsBrokenAlreadyIsNotTriedAgain() throws {
        let validator = try Script("+a=x !1 +b=y !2").validator(.everything)
        let results = PositiveControl.run(validator, Script.observation("a=x"), contract: .durable)
        #expect(results.first { $0.mutation == .lostAcknowledgement }?.outcome == .alreadyBroken)
        #expect(results.first { $0.mutation == .extraKey }?.outcome == .flagged)
    }

    /// Each mutation breaks its own check and, where it is one thing only, no other.
    @Test func mutationsBreakWhatTheySay() throws {
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

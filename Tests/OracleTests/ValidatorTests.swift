import Bytes
import Oracle
import Testing

/// Each case is judged with both memory modes, whose judgements must be identical.
@Suite struct ValidatorTests {
    struct Case: CustomTestStringConvertible {
        var history: String
        var observed: String
        var contract = Contract.durable
        var broken: [Check] = []
        var unattributed = 0
        var testDescription: String { "\(contract.name): \(history) | \(observed) -> \(broken.map(\.rawValue))" }

        init(
            _ history: String, _ observed: String, _ broken: Check..., contract: Contract = .durable,
            unattributed: Int = 0
        ) {
            (self.history, self.observed, self.broken) = (history, observed, broken)
            (self.contract, self.unattributed) = (contract, unattributed)
        }
    }

    static let oneKey = [
        Case("", ""),
        Case("+a=x", ""), Case("+a=x", "a=x"), Case("+a=x", "a=y", .payloadIntegrity),
        Case("+a=x !1", "a=x"), Case("+a=x !1", "", .durable), Case("+a=x !1", "a=y", .payloadIntegrity),
        Case("+a=x !1 +a=y", "a=x"), Case("+a=x !1 +a=y", "a=y"), Case("+a=x !1 +a=y", "", .durable),
        Case("+a=x !1 +a=y !2", "a=y"), Case("+a=x !1 +a=y !2", "a=x", .durable),
        Case("+a=x !1 +a= !2", ""), Case("+a=x !1 +a= !2", "a=x", .noResurrection),
        Case("+a=x !1 +a= !2", "a=z", .payloadIntegrity),
        Case("+a=x !1 +a=", ""), Case("+a=x !1 +a=", "a=x"),
        Case("+a=x !1", "a=x b=y", .noExtras), Case("", "b=y", unattributed: 1),
    ]

    static let concurrent = [
        // Began before the other was answered: either order.
        Case("+a=x +a=y !1 !2", "a=x"), Case("+a=x +a=y !1 !2", "a=y"), Case("+a=x +a=y !1 !2", "", .durable),
        // Began after the other was answered.
        Case("+a=x +a=y !1 +a=z !3 !2", "a=x", .durable), Case("+a=x +a=y !1 +a=z !3 !2", "a=y"),
        Case("+a=x +a=y !1 +a=z !3 !2", "a=z"),
        // Always in flight: always possible, excludes nothing.
        Case("+a=w +a=x !2 +a=y !3", "a=w"), Case("+a=w +a=x !2 +a=y !3", "a=x", .durable),
        Case("+a=x !1 +a= +a=y !3", "a=y"), Case("+a=x !1 +a= +a=y !3", ""),
        Case("+a=x !1 +a= +a=y !3", "a=x", .durable),
    ]

    static let failedAndRestarted = [
        Case("+a=x !1 +a=y ~2", "a=x"), Case("+a=x !1 +a=y ~2", "a=y"), Case("+a=x ~1", ""),
        Case("+a=x ~1 +a=y !2", "a=x", .durable), Case("+a=x +a=y !2 ~1", "a=x"), Case("+a=x ~1 +a=y ~2", "a=x"),
        Case("+a=x R", "a=x"), Case("+a=x R", ""), Case("+a=x R +a=y !2", "a=x", .durable),
        Case("+a=x !1 +a=y R +a=z", "a=x"), Case("+a=x !1 +a=y R +a=z", "a=y"), Case("+a=x !1 +a=y R +a=z", "a=z"),
        Case("+a=x R() +b=y !2", "b=y"), Case("+a=x R() +b=y !2", "a=x b=y", .noResurrection),
        Case("+a=x R(a=x)", "", .durable), Case("+a=x R(a=x)", "a=x"),
        Case("+a=x !1 +a=y R(a=x) +b=z", "a=y", .durable), Case("+a=x !1 +a=y R(a=y)", "a=x", .durable),
        // After a violation is reported, history starts again from the observed state.
        Case("+a=x !1 R(b=q)", "b=q"), Case("+a=x !1 R(b=q)", "", .durable), Case("+a=x !1 R(a=q)", "a=x", .durable),
    ]

    static let plain = [
        Case("a=x b=y", "a=x b=y"), Case("a=x b=y", "a=x", unattributed: 1),
        Case("a=x b=y", "a=x b=q", unattributed: 1),
        Case("a=x b=y", "a=x b=y c=z", unattributed: 1), Case("a=x b=y", "", .durable),
        Case("a=x b=y c=z", "c=q", .durable, .payloadIntegrity),
        Case("a=x a= b=y", "a=x b=q", .payloadIntegrity, .noResurrection), Case("a=x a=y a= b=z", "b=z"),
        Case("a=x b=y R c=z", "c=z", unattributed: 2), Case("a=x b=y R(b=y) c=z", "b=y", unattributed: 1),
        // No operation of the first life can undo an acknowledgement of the second.
        Case("a=x R b=y c=z", "a=x", .durable), Case("a=x R b=y c=z", "b=y", unattributed: 2),
        Case("a=x R b=y c=z R", "a=x", unattributed: 2),
        Case("a=x R a=y", "a=q b=q c=q", .payloadIntegrity, .noExtras), Case("a=x R a=y", "a=q b=q", unattributed: 2),
        Case("a=x b=y R(b=y) c=z", "", .durable), Case("a=x", "a=x b=y c=z", .noExtras),
    ]

    static let prefix = [
        Case("+a=x !1 +a=y !2 +b=z !3", "", contract: .prefix), Case("+a=x !1 +a=y !2", "a=x", contract: .prefix),
        Case("+a=x !1 +a= !2", "a=x", contract: .prefix), Case("+a=x !1", "a=q", .payloadIntegrity, contract: .prefix),
        Case("+a=x !1", "b=x", .noExtras, contract: .prefix),
        Case("+a=xxyy !1 +a=zzww !2", "a=xxww", .perKeyPrefix, contract: .prefix),
        Case("+a=xxyy !1 +a=zzww !2 +a=q !3", "a=zzyy", .perKeyPrefix, contract: .prefix),
        Case("+a=xxyy !1 +a=zzww !2", "a=zz", .payloadIntegrity, contract: .prefix),
        Case("+a=xxyy !1 +a=zzww !2", "a=xxyw", .perKeyPrefix, contract: .prefix),
        Case("+a=xxyy !1 +a=zzww !2", "a=xxyq", .payloadIntegrity, contract: .prefix),
        Case("+a=x !1 +a=y !2 R(a=y) +b=z !3", "a=x b=z", contract: .prefix),
        Case("a=x a=y b=z", "", contract: .prefix), Case("a=x a=y b=z", "a=q", contract: .prefix, unattributed: 1),
        Case("a=x a=y b=z", "a=q b=q", .payloadIntegrity, contract: .prefix),
    ]

    static let ordered = [
        Case("+a=x +b=y", "a=x", contract: .ordered), Case("+a=x +b=y", "b=y", .noHoles, contract: .ordered),
        Case("+a=x +b=y", "b=y"), Case("+a=x +b=y +c=z", "a=x c=z", .noHoles, contract: .ordered),
        Case("+a=x +b=y +c=z", "a=x b=y", contract: .ordered),
        Case("+a=x !1 +b=y !2 +c=z !3", "b=y c=z", .durable, .noHoles, contract: .ordered),
        Case("+a=x !1 +b=y !2 +c=z !3", "a=x b=y", .durable, contract: .ordered),
        Case("+a=x !1 +b=y !2 +a=z !3 +c=q !4", "a=x b=y c=q", .durable, .noHoles, contract: .ordered),
        // With one writer, begin order is the order of effect even for overlapping operations.
        Case("+a=x +a=y !1 !2", "a=x", .durable, contract: .ordered),
        // Failed operations are not in the pipeline.
        Case("+a=x ~1 +b=y", "b=y", contract: .ordered), Case("+a=x ~1 +b=y !2", "a=x b=y", contract: .ordered),
        Case("+a=x +b=y R +c=z", "b=y c=z", contract: .ordered),
        // Each key is legal on its own, and an old cut explains all keys, but it loses acknowledged operations.
        Case("+a=1 !1 +b=1 !2 +a=2 !3 +b=2 +a=1", "a=1 b=1", .noHoles, contract: .ordered),
        Case("+a=1 !1 +a= +a=2", "", contract: .ordered),
        Case("a=x b=y c=z d=w", "c=z d=w", .durable, .noHoles, contract: .ordered),
    ]

    static let transactional = [
        Case("+a=x/1 +b=y/1", "", contract: .transactional), Case("+a=x/1 +b=y/1", "a=x b=y", contract: .transactional),
        Case("+a=x/1 +b=y/1", "a=x", .atomic, contract: .transactional), Case("+a=x/1 +b=y/1", "a=x"),
        Case("+a=x/1 +b=y/1 !1", "a=x b=y", contract: .transactional),
        // A batch is one call: its first answer answers it.
        Case("+a=x/1 +b=y/1 !1", "a=x", .durable, .atomic, contract: .transactional),
        Case("+a=x/1 +b=y/1 !1", "a=x", .durable), Case("+a=x/1 +b=y/1 ~1 +b=z !3", "b=y", .durable),
        Case("+a=x/1 +b=y/1 !2 !1", "a=x", .durable, .atomic, contract: .transactional),
        Case("+a=x/1 +b=y/1 !2 !1", "", .durable, contract: .transactional),
        Case("+a=x/1 +b=y/1 ~2 ~1", "b=y", .atomic, contract: .transactional),
        Case("+a=x/1 +b=y/1 R", "b=y", .atomic, contract: .transactional),
        Case("+a=x/1 +b=y/1 R +a=z !3", "a=z", contract: .transactional),
        Case("+a=x/1 +b=y/1 R +a=z !3", "a=z b=y", contract: .transactional),
        // Within a batch the later operation on a key wins, even over one whose answer came later.
        Case("+a=x/1 +a=y/1 !1 !2", "a=x", .durable, contract: .transactional),
        Case("+a=x/1 +a=y/1 !2 !1", "a=x", .durable, contract: .transactional),
        Case("+a=x/1 +a=y/1 +b=z/1", "a=x b=z", .atomic, contract: .transactional),
        Case("+a=x/1 +a=y/1 +b=z/1", "a=y b=z", contract: .transactional),
        // Whether or not the batch happened, the old value must not appear beside the new one.
        Case("+a=o !1 +a=x/1 +b=y/1", "a=o b=y", .atomic, contract: .transactional),
        Case("+a=o !1 +a=x/1 +b=y/1", "a=o", contract: .transactional),
        // Two batches that overlap on a key: each may have written it last.
        Case("+a=x/1 +b=x/1 +b=y/2 +c=y/2", "a=x b=y c=y", contract: .transactional),
        Case("+a=x/1 +b=x/1 +b=y/2 +c=y/2", "a=x b=x c=y", contract: .transactional),
        Case("+a=x/1 +b=x/1 +b=y/2 +c=y/2", "a=x b=y", .atomic, contract: .transactional),
        Case("+a=x/1 +b=x/1 +b=y/2 +c=y/2", "a=x c=y", .atomic, contract: .transactional),
        Case("a=x/1 b=y/1 c=z d=w", "a=x c=z", .durable, .atomic, contract: .transactional),
        Case("a=x/1 b=y/1 c=z d=w", "c=z d=w", .durable, contract: .transactional),
    ]

    @Test(arguments: oneKey + concurrent + failedAndRestarted + plain + prefix + ordered + transactional)
    func `cases are judged`(_ test: Case) throws {
        let observation = Script.observation(test.observed)
        let script = Script(test.history)
        let kept = try script.validator(.everything).judge(observation, contract: test.contract)
        let told = Comment(rawValue: kept.violations.map(\.description).joined(separator: "\n"))
        #expect(kept.broken == test.broken.sorted(), told)
        #expect(kept.verdict == (test.broken.isEmpty ? .pass : .violation))
        #expect(kept.unattributed.count == test.unattributed)
        let streamed = try script.validator(.watching(observation)).judge(observation, contract: test.contract)
        #expect(streamed == kept)
        let totals = kept.totals
        #expect(totals.oracleLive == totals.survived + totals.dropped + totals.damaged)
    }

    @Test func `a store that does not open is not judged further`() throws {
        let validator = try Script("+a=x !1").validator(.everything)
        let judgement = validator.judge(Evidence(.failed(reason: "checksum")), contract: .ordered)
        #expect(judgement.violations == [Violation(check: .opens, detail: "checksum")])
        #expect(judgement.verdict == .violation)
    }

    @Test func `several writers have no total order`() throws {
        let validator = try Script("+a=x +b=y !2 !1").validator(.everything)
        let judgement = validator.judge(Script.observation("a=x b=y"), contract: .ordered)
        #expect(judgement.verdict == .inconclusive)
        #expect(judgement.unjudged[.noHoles]?.hasPrefix("line 4 ") == true)
        // Other checks are still violated, and before that line there was no sign of several writers.
        #expect(validator.judge(Script.observation("a=x"), contract: .ordered).verdict == .violation)
        #expect(validator.judge(Script.observation("b=y"), contract: .ordered, at: 2).broken == [.noHoles])
        // The operations of one batch may be answered in any order.
        let batch = try Script("+a=x/1 +b=y/1 !2 !1").validator(.everything)
        #expect(batch.judge(Script.observation("a=x b=y"), contract: .ordered).verdict == .pass)
    }

    @Test func `a second recovery and a probe are evidence or not tried`() throws {
        let validator = try Script("+a=x !1 +b=y").validator(.everything)
        let first = Recovery.opened(Script.observation("a=x b=y"))
        func judge(_ second: Recovery?, _ probe: Evidence.Probe?) -> Judgement {
            validator.judge(Evidence(first, secondRecovery: second, probe: probe), contract: .durable)
        }
        #expect(judge(nil, nil).notTried == [.idempotent, .writable])
        #expect(judge(nil, nil).verdict == .pass)
        #expect(judge(first, .kept).notTried == [])
        #expect(judge(first, .kept).verdict == .pass)
        #expect(judge(.opened(Script.observation("a=x")), .kept).broken == [.idempotent])
        #expect(judge(.opened(Script.observation("a=x b=y c=z")), .kept).broken == [.idempotent])
        #expect(judge(.failed(reason: "gone"), .kept).broken == [.idempotent])
        #expect(judge(first, .refused(reason: "read-only")).broken == [.writable])
        #expect(judge(first, .lost(reason: "gone")).broken == [.writable])
    }

    @Test(
        arguments: [
            (nil, nil, []), (.passed, nil, []), (.passed, .passed, []), (nil, .complaint("b"), [.consistent]),
            (.complaint("a"), nil, [.consistent]), (.complaint("a"), .passed, [.consistent]),
        ] as [(Observation.OwnCheck?, Observation.OwnCheck?, [Check])])
    func `a complaint of the store's own checker is a violation, and no other answer is`(
        first: Observation.OwnCheck?, second: Observation.OwnCheck?, broken: [Check]
    ) throws {
        let validator = try Script("+a=x !1").validator(.everything)
        var (one, two) = (Script.observation("a=x"), Script.observation("a=x"))
        (one.ownCheck, two.ownCheck) = (first, second)
        let evidence = Evidence(.opened(one), secondRecovery: .opened(two), probe: .kept)
        for contract in Contract.named { #expect(validator.judge(evidence, contract: contract).broken == broken) }
    }

    @Test func `violations have expected values and lines`() throws {
        let validator = try Script("+a=old !1 +a=new !2 +b=x !3 +b= !4 +c=z").validator(.everything)
        let judgement = validator.judge(Script.observation("a=old b=x c=z"), contract: .durable)
        #expect(
            judgement.violations.map(\.description) == [
                #"durable: key a: expected 3 bytes "new" (line 4), found 3 bytes "old" (line 1)"#,
                #"no-resurrection: key b: expected no key (line 8), found 1 byte "x" (line 5)"#,
            ])
        #expect(judgement.violations.map(\.line) == [4, 8])
        #expect(
            judgement.totals.description
                == "observed live 3, oracle live 1, survived 0, dropped 1, in flight 1, dead 3, extras 1, mismatches 0")
    }

    @Test func `of many legal states the first few are printed`() throws {
        let history = (1...9).map { "+a=x\($0)" }.joined(separator: " ")
        let judgement = try Script(history).validator(.everything).judge(Script.observation("a=y"), contract: .durable)
        #expect(
            judgement.violations.first?.description
                == #"payload-integrity: key a: expected no key or 2 bytes "x1" (line 1) or 2 bytes "x2" (line 2) or "#
                + #"2 bytes "x3" (line 3) or one of 6 others, found 1 byte "y""#)
        #expect(judgement.violations.first?.expected.count == 10)
    }

    @Test func `only the first violations are reported but all are counted`() throws {
        let history = (1...9).map { "+k\($0)=x !\($0)" }.joined(separator: " ")
        let validator = try Script(history).validator(.everything, options: .init(violationsPerCheck: 2))
        let judgement = validator.judge(Observation(), contract: .durable)
        #expect(judgement.counts == [.durable: 9])
        #expect(judgement.violations.map(\.key) == ["k1", "k2"])
    }

    @Test func `more operations may be in flight without intents`() throws {
        let script = Script("a=x b=y c=z")
        let three = try script.validator(.everything, options: .init(plainInFlight: 3))
        #expect(three.judge(Observation(), contract: .durable).unattributed.count == 3)
        let none = try script.validator(.everything, options: .init(plainInFlight: 0))
        #expect(none.judge(Script.observation("a=x b=y"), contract: .durable).broken == [.durable])
    }

    @Test func `contracts have names`() {
        for contract in Contract.named { #expect(Contract(named: contract.name) == contract) }
        #expect(Contract(named: "strong") == nil)
        #expect(Contract.prefix.checks.isStrictSubset(of: Contract.durable.checks))
        #expect(Contract.durable.checks.isStrictSubset(of: Contract.ordered.checks))
        #expect(Contract.prefix.checks.isStrictSubset(of: Contract.orderedPrefix.checks))
        #expect(Contract.orderedPrefix.checks.isStrictSubset(of: Contract.ordered.checks))
        #expect(Contract.ordered.forSeveralWriters == .durable && Contract.orderedPrefix.forSeveralWriters == .prefix)
        #expect(Contract.transactional.forSeveralWriters == .transactional)
        #expect(Contract.durable.checks.isStrictSubset(of: Contract.transactional.checks))
        #expect(Verdict.allCases.map(\.exitCode) == [0, 1, 3, 3, 2])
    }
}

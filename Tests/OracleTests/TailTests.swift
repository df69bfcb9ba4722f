import Bytes
import Oracle
import Testing

/// A store that may lose a tail of its history and nothing else.
@Suite struct TailTests {
    private static let history = "+a=1 !1 +b=1 !2 +a=2 !3 +c=1 !4 +b= !5"

    /// Exactly the prefixes of the history are legal states.
    @Test(
        arguments: [
            ("", []), ("a=1", []), ("a=1 b=1", []), ("a=2 b=1", []), ("a=2 b=1 c=1", []), ("a=2 c=1", []),
            ("b=1", [.noHoles]), ("a=2", [.noHoles]), ("a=1 c=1", [.noHoles]), ("c=1", [.noHoles]),
            ("a=1 b=1 c=1", [.noHoles]), ("a=2 b=1 d=1", [.noExtras]), ("a=3", [.payloadIntegrity]),
        ] as [(String, Set<Check>)])
    func `a prefix is legal and a hole is not`(observation: String, broken: Set<Check>) throws {
        let validator = try Script(Self.history).validator(.everything)
        let judgement = validator.judge(Script.observation(observation), contract: .orderedPrefix)
        #expect(Set(judgement.counts.keys) == broken, "\(judgement.violations)")
    }

    /// The same verdict as trying every cut by the definition, for histories with all kinds of unknown outcomes.
    @Test(arguments: 0..<400) func `agrees with the definition`(seed: UInt64) throws {
        var draws = Draws(state: seed)
        var words: [String] = []
        var states: [Set<[String: String]>] = [[[:]]]
        for number in 1...8 {
            let key = ["a", "b", "c"][draws.next(3)]
            let value = draws.next(4) == 0 ? "" : "\(draws.next(3))"
            words.append("+\(key)=\(value)")
            let isRefused = draws.next(4) == 0
            words.append((isRefused ? "~" : "!") + "\(number)")
            var next: Set<[String: String]> = isRefused ? states[states.count - 1] : []
            for var state in states[states.count - 1] {
                state[key] = value.isEmpty ? nil : value
                next.insert(state)
            }
            states.append(next)
        }
        let legal = states.reduce(into: Set<[String: String]>()) { $0.formUnion($1) }
        let validator = try Script(words.joined(separator: " ")).validator(.everything)
        for _ in 0..<30 {
            var shown: [String: String] = [:]
            for key in ["a", "b", "c"] where draws.next(3) > 0 { shown[key] = "\(draws.next(3))" }
            let observation = Script.observation(shown.map { "\($0)=\($1)" }.joined(separator: " "))
            let judgement = validator.judge(observation, contract: .orderedPrefix)
            #expect(
                (judgement.verdict == .pass) == legal.contains(shown),
                "\(words.joined(separator: " ")) shows \(shown): \(judgement.violations)")
        }
    }

    /// History starts again at an observed recovery: an operation that it lost does not count any more.
    @Test(arguments: [("a=1", true), ("a=1 c=3", true), ("a=2 c=3", false), ("c=3", false)])
    func `a lost tail stays lost`(observation: String, isLegal: Bool) throws {
        let validator = try Script("+a=1 !1 +a=2 !2 R(a=1) +c=3 !3").validator(.everything)
        let judgement = validator.judge(Script.observation(observation), contract: .orderedPrefix)
        #expect(judgement.verdict == (isLegal ? .pass : .violation), "\(judgement.violations)")
    }

    /// An operation in flight that an observed recovery did not show is lost for good; after an unobserved restart it
    /// may exist or not.
    @Test(arguments: [
        ("R(a=1)", "a=1 c=3", true), ("R(a=1)", "a=2 c=3", false), ("R", "a=1 c=3", true), ("R", "a=2 c=3", true),
        ("R", "c=3", false),
    ])
    func `operations in flight at a restart`(restart: String, observation: String, isLegal: Bool) throws {
        let validator = try Script("+a=1 !1 +a=2 \(restart) +c=3 !3 +d=4 !4").validator(.everything)
        let judgement = validator.judge(Script.observation(observation), contract: .orderedPrefix)
        #expect(judgement.verdict == (isLegal ? .pass : .violation), "\(judgement.violations)")
    }

    @Test func `operations in flight may survive in order`() throws {
        let validator = try Script("+a=1 !1 +b=1 +c=1").validator(.everything)
        #expect(validator.judge(Script.observation("a=1 b=1"), contract: .orderedPrefix).verdict == .pass)
        #expect(validator.judge(Script.observation("a=1 c=1"), contract: .orderedPrefix).broken == [.noHoles])
    }

    @Test func `several writers have no tail`() throws {
        let validator = try Script("+a=1 +b=1 !2 !1").validator(.everything)
        let judgement = validator.judge(Script.observation("a=1"), contract: .orderedPrefix)
        #expect(judgement.verdict == .inconclusive && judgement.unjudged[.noHoles] != nil)
    }

    @Test func `the positive control makes a hole and detects it`() throws {
        let validator = try Script(Self.history).validator(.everything)
        let results = PositiveControl.run(
            validator, Script.observation("a=2 c=1"), contract: .orderedPrefix, at: nil)
        let hole = try #require(results.first { $0.mutation == .hole })
        #expect(hole.outcome == .detected && !results.contains(where: \.isMissed), "\(results)")
    }
}

private struct Draws {
    var state: UInt64

    mutating func next(_ count: UInt64) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % count)
    }
}

import Bytes
import Model
import Oracle
import Report
import Targets
import Testing

@testable import Exploration
@testable import Matrices
@testable import Runs
@testable import Scenarios

/// Findings that are known and accepted, and that the next bug shows all the same.
struct KnownFindingTests {
    private static func known(_ text: String) throws -> [KnownFinding] {
        let root = try YAMLValue(Array("known:\n\(text)\n".utf8), file: "m.yaml").mapping("a file", known: ["known"])
        return try KnownFinding.list(#require(root["known"]))
    }

    private static func finding(
        _ check: Check, _ losses: [String], error errors: [String] = [], acknowledged: Bool = true
    ) throws -> Finding {
        var finding = Finding(check: check, strongestProfile: .profile(.strict), lost: [], story: "a story", states: 0)
        for error in errors.isEmpty ? [nil] : errors.map(Optional.init) {
            var cause = Cause(check, error: error, hasAcknowledged: acknowledged)
            cause.losses = try losses.map { try #require(LossPattern(parsing: $0)) }
            finding.cause = finding.cause ?? cause
            finding.add(cause, error, states: 1)
        }
        return finding
    }

    @Test(arguments: [
        ("{check: opens, reason: r}", true),
        ("{check: durable, reason: r}", false),
        ("{check: opens, loss: write log 7, reason: r}", false),
        ("{check: opens, loss: [write log 7, name db], reason: r}", true),
        ("{check: opens, loss: [name d*, 'write log *'], reason: r}", true),
        ("{check: opens, loss: [name db, write log 7, name other], reason: r}", false),
        ("{check: opens, loss: [removal of the name db, write log 7], reason: r}", false),
        ("{check: opens, loss: [], reason: r}", false),
        ("{check: opens, error: bad checksum at 12, reason: r}", true),
        ("{check: opens, error: 'bad*', reason: r}", true),
        ("{check: opens, error: bad, reason: r}", false),
        ("{check: opens, error: '*at 9*', acknowledged: true, reason: r}", true),
        ("{check: opens, acknowledged: false, reason: r}", false),
    ])
    func `a known finding is one that agrees in all that it says`(text: String, isKnown: Bool) throws {
        let finding = try Self.finding(.opens, ["name db", "write log 3"], error: ["bad checksum at 4096"])
        #expect(try #require(Self.known("  - " + text).first).matches(finding) == isKnown)
    }

    @Test func `a finding that says something else, too, is not known`() throws {
        let known = try #require(Self.known("  - {check: opens, error: 'bad *', reason: r}").first)
        #expect(known.matches(try Self.finding(.opens, [], error: ["bad page 1", "bad root"])))
        #expect(!known.matches(try Self.finding(.opens, [], error: ["bad page 1", "no root"])))
        #expect(!known.matches(try Self.finding(.opens, [])))
    }

    /// A state that was not minimised: it does not open, and lost these.
    private static func unexplained(_ error: String, _ losses: [String]?, acknowledged: Bool = true) throws
        -> UnexplainedFailure
    {
        let symptom = Symptom(
            check: .opens, error: TextPattern(ofMessage: error), hasAcknowledged: acknowledged, isHang: false)
        return UnexplainedFailure(symptom, losses: try losses?.map { try #require(LossPattern(parsing: $0)) })
    }

    @Test(arguments: [
        ("{check: opens, reason: r}", true),
        ("{check: durable, reason: r}", false),
        ("{check: opens, error: 'bad *', loss: write log 7, reason: r}", true),
        ("{check: opens, error: 'no *', loss: write log 7, reason: r}", false),
        ("{check: opens, loss: [write log 7, name db], reason: r}", true),
        ("{check: opens, loss: [write log 7, name other], reason: r}", false),
        ("{check: opens, loss: [], reason: r}", false),
        ("{check: opens, acknowledged: false, reason: r}", false),
    ])
    func `states that were not minimised are attributed to what they fail like`(text: String, isKnown: Bool) throws {
        let failure = try Self.unexplained("bad page 3", ["name db", "write log 3", "name b"])
        let known = try #require(Self.known("  - " + text).first)
        #expect(known.matches(failure) == isKnown)
        var tally = RunTally()
        tally.count([failure: 12], known: [known])
        #expect(tally.attributed == (isKnown ? [known: 12] : [:]))
        #expect(tally.notMinimised == (isKnown ? [:] : [.opens: 12]))
    }

    @Test func `states whose losses are unknown are attributed to what needs none in particular`() throws {
        let failure = try Self.unexplained("bad page 3", nil)
        #expect(try #require(Self.known("  - {check: opens, reason: r}").first).matches(failure))
        #expect(!(try #require(Self.known("  - {check: opens, loss: [], reason: r}").first).matches(failure)))
        #expect(!(try #require(Self.known("  - {check: opens, loss: name a, reason: r}").first).matches(failure)))
    }

    @Test(arguments: [
        ("{check: writable, reason: r}", true), ("{check: writable, loss: name a, reason: r}", false),
        ("{check: writable, error: 'x', reason: r}", false), ("{check: opens, reason: r}", false),
    ])
    func `a failed workload, of which no cause is known, is known by its check alone`(
        text: String, isKnown: Bool
    ) throws {
        let finding = Finding(
            check: .writable, strongestProfile: .profile(.strict), lost: [], story: "exited with 1", states: 1)
        #expect(try #require(Self.known("  - " + text).first).matches(finding) == isKnown)
    }

    @Test func `one entry may name several checks, and the parameters of a manifest`() throws {
        let manifest = """
            name: m
            workload: [w]
            recover: [r]
            parameters: {mode: [safe, fast]}
            known: [{when: {mode: fast}, check: [opens, durable], reason: r}, {check: opens, reason: s}]
            """
        let target = try Manifest.target(Array(manifest.utf8), file: "m.yaml")
        func known(_ mode: String) throws -> [String] {
            let configured = try target.configured([Setting(name: "mode", value: mode)])
            return RunRequest(target: configured, scenario: ExploreScenario(), contract: .durable).known
                .map { "\($0.check.rawValue) \($0.reason)" }
        }
        #expect(try known("fast") == ["opens r", "durable r", "opens s"])
        #expect(try known("safe") == ["opens s"])
    }

    @Test(arguments: [
        ("- {reason: r}", "m.yaml:2: a known finding needs a key check"),
        ("- {check: opens}", "m.yaml:2: a known finding needs a key reason"),
        ("- {check: opens, reason: ' '}", "m.yaml:2: reason must say why"),
        ("- check: opens\n  reason: r\n  los: name a", "m.yaml:4: a known finding has no key los; did you mean loss?"),
        ("- {check: open, reason: r}", "m.yaml:2: check cannot be open; did you mean opens?"),
        ("- check: opens\n  reason: r\n  loss: [name a, nam b]", "m.yaml:4: loss must be a kind of change and a path"),
        ("- {check: opens, reason: r, loss: [name a1, name a2]}", "m.yaml:2: name a# appears twice"),
        (
            "- {check: durable, reason: r, error: x}",
            "m.yaml:2: error is for check: opens, consistent, idempotent or writable"
        ),
        ("- {check: opens, reason: r, error: ''}", "m.yaml:2: error is the store's error message"),
        ("- {check: durable, reason: r, acknowledged: true}", "m.yaml:2: acknowledged is for check: opens"),
        ("- {check: opens, reason: r, acknowledged: maybe}", "m.yaml:2: acknowledged must be true or false"),
        ("- {check: [], reason: r}", "m.yaml:2: check needs at least one check"),
        ("- {check: [opens, durable], error: x, reason: r}", "m.yaml:2: error is for check: opens"),
        ("- {check: [opens, opens], reason: r}", "m.yaml:2: this known finding appears twice"),
        ("- {check: opens, when: {a: b}, reason: r}", "m.yaml:2: a known finding has no key when"),
        ("- {check: opens, reason: r}\n- {check: opens, reason: s}", "m.yaml:3: this known finding appears twice"),
        ("  opens", "m.yaml:2: known must be a list"),
    ])
    func `what cannot be meant is refused with its line`(text: String, error: String) {
        let thrown = #expect(throws: YAMLError.self) { try Self.known(text) }
        #expect(thrown?.description.hasPrefix(error) == true, "\(thrown?.description ?? "no error")")
    }

    @Test(arguments: [
        ([["name a"]], false, Verdict.pass, 1), ([["name a"], ["name b"]], false, .violation, 1),
        ([["name b"]], false, .violation, 0), ([["name a"]], true, .inconclusive, 1),
    ])
    func `a run passes when each finding is known and each failing state is explained`(
        losses: [[String]], hasUnexplained: Bool, verdict: Verdict, knownCount: Int
    ) throws {
        var tally = RunTally()
        (tally.mutations, tally.detected, tally.counts.lossy, tally.acknowledged) = (3, 3, 5, 7)
        tally.detectedChecks = [.durable, .payloadIntegrity]
        tally.findings = try losses.map { try Self.finding(.durable, $0) }
        if hasUnexplained { tally.notMinimised = [.durable: 3] }
        let target = try TargetCatalog(driver: "/nowhere/faultline-target").target("engine").configured()
        var request = RunRequest(target: target, scenario: ExploreScenario(), contract: .durable)
        request.known = try Self.known("  - {check: durable, loss: name a, reason: r}\n  - {check: opens, reason: s}")
        #expect(ScenarioRunner.verdict(of: tally, request).0 == verdict)
        var result = ScenarioRunner(program: "faultline", wording: English()).failed(request, "")
        result.findings = tally.findings
        result.mark(request)
        #expect(result.knownCount == knownCount && result.findings.first?.known == (knownCount > 0 ? "r" : nil))
        #expect(result.known?.map(\.findings) == [knownCount, 0])
    }

    @Test(arguments: [
        ("known: [{check: durable, reason: old}]\ncells: [{target: engine, scenario: smoke}]", ["old"]),
        (
            "known: [{check: durable, reason: old}]\n"
                + "cells: [{target: engine, scenario: smoke, known: [{check: opens, reason: new}]}]", ["old", "new"]
        ),
        ("known: [{check: durable, reason: old}]\ncells: [{target: engine, scenario: smoke, expect: violation}]", []),
    ])
    func `a matrix accepts for all its cells or for one, and never where a violation must be found`(
        text: String, reasons: [String]
    ) throws {
        let matrix = try Self.matrix(text)
        #expect(matrix.cells.map { $0.request.known.map(\.reason) } == [reasons])
    }

    @Test func `a cell that must find a violation cannot accept it`() {
        let error = #expect(throws: YAMLError.self) {
            try Self.matrix(
                "cells:\n  - {target: engine, scenario: smoke, expect: violation,\n"
                    + "     known: [{check: opens, reason: r}]}")
        }
        #expect(error?.description.hasPrefix("m.yaml:3: known is for cells that pass") == true)
    }

    private static func matrix(_ text: String) throws -> Matrix {
        let defaults = MatrixFile.Defaults(seed: 1, profile: .ext4Ordered, operationCount: 100, cycles: nil)
        let catalog = TargetCatalog(driver: "/nowhere/faultline-target")
        return try MatrixFile(catalog, defaults).matrix(Array(text.utf8), file: "m.yaml")
    }
}

import Oracle
import Synchronization
import Targets
import Testing

@testable import Matrices
@testable import Runs
@testable import Scenarios

struct MatrixTests {
    private func matrix(_ expectations: [Verdict]) throws -> Matrix {
        let target = try TargetCatalog(driver: "/nowhere/faultline-target").target("engine").configured()
        let request = RunRequest(target: target, scenario: SmokeScenario(), contract: .durable)
        return Matrix(cells: expectations.map { Matrix.Cell(request: request, expectation: $0) })
    }

    private func result(_ verdict: Verdict) -> RunResult {
        RunResult(
            target: "engine", configuration: [:], scenario: .smoke, profile: .one(.strict), contract: "durable",
            seed: 1,
            verdict: verdict, command: "")
    }

    @Test(arguments: [
        ([Verdict.pass, .violation], [Verdict.pass, .violation], Verdict.pass),
        ([.pass], [.violation], .violation),
        ([.pass], [.inconclusive], .inconclusive),
        // A planted bug that is not found: the harness is blind.
        ([.violation], [.pass], .harnessError),
        ([.pass, .pass], [.harnessError, .violation], .harnessError),
    ])
    func expectedViolationsCountAsExpected(_ expected: [Verdict], _ seen: [Verdict], _ verdict: Verdict) throws {
        #expect(MatrixRow.verdict(of: try matrix(expected).rows(seen.map(result))) == verdict)
    }

    /// A violation for another reason than the one that is expected is no expected one.
    @Test(
        arguments: [(.durable, .durable, true), (.durable, .opens, false), (nil, .opens, true)]
            as [(Check?, Check, Bool)])
    func aViolationOfAnotherCheckIsNotExpected(_ expected: Check?, _ seen: Check, _ isMet: Bool) throws {
        var matrix = try matrix([.violation])
        matrix.cells[0].expectedCheck = expected
        var result = result(.violation)
        result.findings = [Finding(check: seen, strongestProfile: .profile(.kill), lost: [], story: "gone", states: 1)]
        #expect(matrix.rows([result]).map(\.isAsExpected) == [isMet])
    }

    @Test func aCellThatDidNotRunIsNoPass() throws {
        #expect(MatrixRow.verdict(of: try matrix([.pass]).rows([nil])) == .inconclusive)
    }

    @Test func whatCannotRunHereIsSkippedAndNotCounted() throws {
        var matrix = try matrix([.pass, .pass])
        matrix.cells[1].obstacle = "no FUSE"
        let results = matrix.run(workers: 1, shouldStop: { false }, { _ in result(.pass) }, finished: { _, _ in })
        #expect(results.map { $0 == nil } == [false, true])
        #expect(MatrixRow.verdict(of: matrix.rows(results)) == .pass)
        matrix.cells[0].obstacle = "no FUSE"
        #expect(MatrixRow.verdict(of: matrix.rows([nil, nil])) == .inconclusive)
    }

    /// The built-in stores are explored in memory: what a mount lacks is nothing to them.
    @Test func whatNeedsNothingOfTheMachineIsNotSkipped() throws {
        var matrix = try matrix([.pass, .pass])
        var commands = ExploreScenario()
        commands.usesCommands = true
        matrix.cells[0].request.scenario = ExploreScenario()
        matrix.cells[1].request.scenario = commands
        matrix.skip { $0.contains(.fuse) ? "no FUSE" : nil }
        #expect(matrix.cells.map(\.obstacle) == [nil, "no FUSE"])
    }

    @Test func resultsStandInTheOrderOfTheCells() throws {
        let matrix = try matrix([.pass, .violation, .pass, .violation, .pass])
        let results = matrix.run(workers: 2, shouldStop: { false }, { result($0.expectation) }, finished: { _, _ in })
        #expect(results.map { $0?.verdict } == matrix.cells.map(\.expectation))
    }

    @Test func nothingBeginsAfterAStop() throws {
        let begun = Atomic<Int>(0)
        let results = try matrix([.pass, .pass, .pass]).run(
            workers: 1, shouldStop: { begun.load(ordering: .relaxed) == 1 },
            { cell in
                begun.add(1, ordering: .relaxed)
                return result(cell.expectation)
            }, finished: { _, _ in })
        #expect(results.map { $0 == nil } == [false, true, true])
    }
}

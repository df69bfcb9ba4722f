import Exploration
import Machine
import Scenarios
import Targets

extension ExploreBenchmark {
    /// The operations of the shorter run, and the factor for the longer one.
    private static let fewOperations = 100
    private static let moreTimes = 4

    /// Peak memory against operations. Every state of these runs shows all values of the store.
    package func memory() throws -> [BenchmarkRow] {
        let (few, many) = (Self.fewOperations, Self.fewOperations * Self.moreTimes)
        let (less, more) = (try peakMegabytes(operations: few), try peakMegabytes(operations: many))
        return [
            BenchmarkRow(
                name: "peak memory of exploring engine, \(many) operations with values of 64 KiB", value: more,
                unit: "MB", baseline: "\(few) operations", baselineValue: less, aim: .ratioAtMost(2))
        ]
    }

    private func peakMegabytes(operations: Int) throws -> Double {
        let target = try targets.target("engine").configured()
        var request = RunRequest(
            target: target, scenario: ExploreScenario(), profile: .strict, contract: target.contract,
            operationCount: UInt64(operations))
        request.shape.valueBytes = 65_536
        _ = try ResidentMemory.resetPeak()
        _ = try explore(request)
        return Double(try ResidentMemory.peakBytes()) / 1e6
    }
}

import Bytes
import Foundation
import Glibc
import Model
import Oracle
import Targets
import Testing

@testable import Report
@testable import Runs
@testable import Scenarios

/// The disk is full, or the directory of the cases is gone: what was found is told all the same.
struct UnwrittenCaseTests {
    @Test func `a finding whose case cannot be written is kept, and says why`() throws {
        let scratch = Scratch()
        let target = try TargetCatalog(driver: TestMachine.driver).target("engine")
            .configured([Setting(parsing: "planted=never-sync")])
        let request = RunRequest(
            target: target, scenario: ExploreScenario(), profile: .strict, contract: target.contract, operationCount: 12
        )
        let directory = try RunDirectory(
            in: ByteString(scratch.url.path), target: "engine", scenario: "explore", seed: 1)
        let cases = "\(directory.path)/cases"
        try? FileManager.default.removeItem(atPath: cases)
        try Data().write(to: URL(filePath: cases))

        let result = ScenarioRunner(program: "faultline", wording: English()).run(
            request, try RunContext(directory, wording: English()))
        #expect(result.verdict == .violation, "\(result.reason ?? "")")
        let finding = try #require(result.findings.first)
        #expect(finding.case == nil && finding.replay == nil && finding.recheck == nil)
        #expect(finding.caseProblem?.contains(String(cString: strerror(ENOTDIR))) == true, "\(finding)")
        #expect(RunReport(result).text(for: .plain).contains("no case could be written: "))
        try directory.finish()
    }
}

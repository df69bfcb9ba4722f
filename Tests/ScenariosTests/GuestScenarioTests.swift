import Bytes
import Foundation
import Report
import Targets
import Testing

@testable import Guest
@testable import Machine
@testable import Runs
@testable import Scenarios

/// What the guest takes; what is missing is said once. Each image costs an emulated recovery, so that the tests take ten
/// minutes: they run if they are asked for.
private let hasGuest: Bool = {
    guard ProcessInfo.processInfo.environment["FAULTLINE_GUEST_SCENARIOS"] != nil else {
        print("SKIPPED: log-writes and power-off in the guest take ten minutes; FAULTLINE_GUEST_SCENARIOS=1 runs them")
        return false
    }
    let driver = Requirement("built-in targets", met: true, "there")
    guard let obstacle = Doctor(driver: driver).obstacle(to: [.virtualMachine]) else { return true }
    print("SKIPPED: scenarios in the guest: \(obstacle)")
    return false
}()

/// Scenarios on devices that this machine may not have, in one guest that all tests share.
@Suite(.enabled(if: hasGuest), .serialized) struct GuestScenarioTests {
    private static let guests = GuestPool(keeping: 1)

    private let targets = TargetCatalog(driver: TestMachine.driver)
    private let scratch = Scratch()

    private func run(
        _ name: String, _ settings: [String], _ scenario: any Scenario, ops: UInt64
    ) throws -> RunResult {
        var configuration = GuestConfiguration()
        configuration.accelerator = .tcg
        let target = try targets.target(name).configured(settings.map { try Setting(parsing: $0) })
        let request = RunRequest(
            target: target, scenario: scenario, contract: target.contract, operationCount: ops)
        var session = RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English())
        session.machines = MachinePicker(.guest, configuration) { _ in nil }
        session.guests = Self.guests
        return session.run(request)
    }

    /// A device scenario that derives few states: each image costs an emulated recovery.
    private func small<Kind: DeviceScenario>(_ scenario: Kind) -> Kind {
        var scenario = scenario
        (scenario.exploration.limits.statesPerEpoch, scenario.exploration.limits.samplesPerEpoch) = (2, 0)
        scenario.exploration.limits.pairedAtoms = 0
        return scenario
    }

    @Test func `log-writes finds the journal that comes back, on the guest's kernel`() throws {
        let result = try run(
            "sqlite", ["journal_mode=delete", "synchronous=full"], small(LogWritesScenario()), ops: 2)
        #expect(result.verdict == .violation, "\(result.reason ?? "")")
        #expect(result.findings.map(\.check) == [.durable], "\(result.findings.map(\.story))")
        #expect(result.guest?.accelerator == "tcg" && (result.block?.images ?? 0) > 0)
    }

    @Test func `a power-off finds a store that never syncs`() throws {
        let result = try run("engine", ["planted=never-sync"], small(PowerOffScenario()), ops: 3)
        #expect(result.verdict == .violation, "\(result.reason ?? "")")
        #expect(result.findings.first?.check == .durable)
        // The power went before the end.
        #expect((1...3).contains(result.acknowledged))
    }
}

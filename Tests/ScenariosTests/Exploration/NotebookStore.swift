import Bytes
import Foundation
import Model
import Oracle
import Report
import Targets

@testable import Runs
@testable import Scenarios

/// The store of Fixtures/notebook.py with some of its faults, as a target with a manifest.
struct NotebookStore {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/notebook.py").path

    /// The manifest's path.
    let manifest: String
    private let scratch: Scratch

    /// - Parameter more: further lines of the manifest.
    init(_ faults: [String], in scratch: Scratch, _ more: String = "") throws {
        self.scratch = scratch
        manifest = scratch.url.appending(path: "notebook.yaml").path
        let command = { (role: String) in
            "[/usr/bin/env, python3, '\(Self.script)', '\(faults.joined(separator: ","))', \(role)]"
        }
        try """
        name: notebook
        description: a small store with faults
        workload: \(command("workload"))
        recover: \(command("recover"))
        persistent: true
        environment: {MARK: '\(scratch.url.appending(path: "mark").path)'}
        \(more)
        """.write(toFile: manifest, atomically: true, encoding: .utf8)
    }

    func request(
        _ scenario: (any Scenario)? = nil, _ profile: Profile = .ext4Ordered, ops: UInt64 = 10
    ) throws -> RunRequest {
        let target = try TargetCatalog(driver: TestMachine.driver).target(manifest).configured()
        // Small limits, so that tests are quick; the searches of tests are no claim.
        var explore = ExploreScenario()
        (explore.limits.statesPerEpoch, explore.limits.samplesPerEpoch) = (256, 8)
        var request = RunRequest(
            target: target, scenario: scenario ?? explore, profile: profile, contract: target.contract,
            operationCount: ops)
        request.scenario.budget?.allowsPartial = true
        return request
    }

    func run(_ request: RunRequest) -> RunResult {
        RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(request)
    }
}

import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Report
import Targets
import Testing

@testable import Machine
@testable import Runs
@testable import Scenarios

/// Deciding the states of stores that run through their commands: what they read is seen through a mount.
@Suite(.enabled(if: TestMachine.hasFUSE)) struct WatchedDecidingTests {
    private let scratch = Scratch()

    private func run(
        _ target: ConfiguredTarget, _ profile: Profile = .ext4Ordered, ops: UInt64 = 6, decides: Bool = true
    ) throws -> RunResult {
        var scenario = ExploreScenario()
        scenario.limits.decides = decides
        // Few states, so that those that are recovered one by one are quick.
        (scenario.limits.statesPerEpoch, scenario.limits.samplesPerEpoch, scenario.limits.pairedAtoms) = (64, 4, 0)
        scenario.skipsFixes = true
        let request = RunRequest(
            target: target, scenario: scenario, profile: profile, contract: target.contract, operationCount: ops)
        return RunSession(parent: ByteString(scratch.url.path), program: "faultline", wording: English()).run(request)
    }

    private func sqlite(_ settings: [String]) throws -> ConfiguredTarget {
        try TargetCatalog(driver: TestMachine.driver).target("sqlite")
            .configured(settings.map { try Setting(parsing: $0) })
    }

    @Test(arguments: [
        (["journal_mode=delete", "synchronous=full"], Verdict.violation),
        (["journal_mode=delete", "synchronous=extra"], .pass), (["journal_mode=wal", "synchronous=full"], .pass),
    ])
    func `every torn state of SQLite is decided, and shows what recovering states shows`(
        settings: [String], verdict: Verdict
    ) throws {
        let target = try sqlite(settings)
        let (deciding, running) = try (run(target), run(target, decides: false))
        #expect(deciding.verdict == verdict, "\(deciding.reason ?? ""), \(deciding.coverage ?? "")")
        #expect(running.verdict == verdict, "\(running.reason ?? ""), \(running.coverage ?? "")")
        #expect(Set(deciding.findings.map(\.check)) == Set(running.findings.map(\.check)))
        let decided = try #require(deciding.states.deciding)
        #expect(decided.obstacle == nil, "\(deciding.coverage ?? "")")
        #expect(decided.sampled > 0 && decided.families > 0)
        #expect(decided.states > StateCount(running.states.decided))
    }

    /// What the recovery prints besides what it reads of the state, which is the absence of a name.
    private static let deceits: [(name: String, value: String)] = [
        ("the clock", "date +%N | cut -c1-4"),
        ("a file that is not in the state", "cat BESIDE; printf %04d $(($(cat BESIDE | sed 's/^0*//') + 1)) > BESIDE"),
        ("the directory of the state", "case $FAULTLINE_DIR in */mount/*) echo 1000 ;; *) echo 2000 ;; esac"),
    ]

    @Test(arguments: deceits)
    func `a recovery that depends on more than what it reads is not believed`(name: String, value: String) throws {
        let beside = scratch.url.appending(path: "beside").path
        try "0001".write(toFile: beside, atomically: true, encoding: .utf8)
        let store = scratch.url.appending(path: "store.sh")
        let script = #"""
            #!/bin/sh
            say() { printf '{"op":"put","seq":%s,"key":"aw==","payload":"AAAA"%s}\n' "$1" "$2" >> "$FAULTLINE_ORACLE"; }
            case $1 in
            workload) for i in 1 2 3 4 5 6; do
                say $i ',"phase":"begin"'; head -c 3000 /dev/zero > "$FAULTLINE_DIR/f$i"; say $i; done ;;
            recover) test -e "$FAULTLINE_DIR/absent"
                printf '{"key":"aw==","payload":"%s"}\n{"end":true}\n' "$(VALUE)" ;;
            esac
            """#.replacing("VALUE", with: value.replacing("BESIDE", with: beside))
        try script.write(to: store, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: store.path)
        let manifest = scratch.url.appending(path: "deceitful.yaml")
        try """
        name: deceitful
        description: a store whose recovery depends on \(name)
        workload: [./store.sh, workload]
        recover: [./store.sh, recover]
        """.write(to: manifest, atomically: true, encoding: .utf8)
        let target = try TargetCatalog(driver: TestMachine.driver).target(manifest.path).configured()
        let result = try run(target)
        #expect(result.states.deciding?.obstacle != nil, "\(result.coverage ?? ""), \(result.reason ?? "")")
        let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        #expect(!mounts.contains(scratch.url.path))
    }
}

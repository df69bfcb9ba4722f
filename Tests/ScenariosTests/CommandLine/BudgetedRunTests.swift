import Foundation
import Report
import Scenarios
import Testing

@testable import Runs

/// power-cut and io-error with a budget, and what is left of them after Ctrl-C. The store recovers slowly.
@Suite(.enabled(if: TestMachine.hasFUSE)) struct BudgetedRunTests {
    private let temporary: TemporaryDirectory
    private var recoveries: String { temporary.path + "/recoveries" }

    init() throws { temporary = try TemporaryDirectory() }

    /// A log of values of which the last one counts. - Parameter syncs: before it acknowledges.
    private func writeStore(syncs: Bool) throws {
        let script = """
            #!/bin/sh
            case $1 in
            workload)
                cd "$FAULTLINE_DIR"; test -e log || { : > log; sync .; }
                seq=$FAULTLINE_FIRST_SEQ
                while [ $seq -lt $((FAULTLINE_FIRST_SEQ + FAULTLINE_OPS)) ]; do
                    value=$(printf %04d $seq)
                    put='"op":"put","seq":'$seq',"key":"aw==","payload":"'$value'"'
                    echo "{$put,\\"phase\\":\\"begin\\"}" >> "$FAULTLINE_ORACLE"
                    echo $value >> log; \(syncs ? "sync log" : ":")
                    echo "{$put}" >> "$FAULTLINE_ORACLE"
                    seq=$((seq + 1))
                done ;;
            recover)
                echo >> '\(recoveries)'; sleep 0.2
                value=$(grep -sxE '[0-9]{4}' "$FAULTLINE_DIR/log" | tail -n 1)
                test -z "$value" || echo '{"key":"aw==","payload":"'$value'"}'
                echo '{"end":true}' ;;
            esac
            """
        let manifest = """
            name: slow
            description: a log that recovers slowly
            workload: [./slow.sh, workload]
            recover: [./slow.sh, recover]
            """
        for (name, text) in [("slow.sh", script), ("slow.yaml", manifest)] {
            try text.write(toFile: temporary.path + "/" + name, atomically: true, encoding: .utf8)
        }
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: temporary.path + "/slow.sh")
    }

    private struct Result: Decodable {
        struct Explored: Decodable {
            var epochs, of: Int
            var unit: String?
        }
        struct Finding: Decodable { var `case`: String? }
        struct Fault: Decodable { var detail: String? }
        var verdict: String
        var reason: String?
        var explored: Explored?
        var findings: [Finding]
        var faults: [Fault]?
    }

    private func result(_ output: String) throws -> Result {
        try JSONDecoder().decode(Result.self, from: Data(output.utf8))
    }

    @Test func `a power-cut run ends with its budget, and says how much it did`() throws {
        try writeStore(syncs: true)
        let answer = try Faultline.run(
            ["run", "slow.yaml", "--scenario", "power-cut", "--ops", "12", "--budget", "1s", "--json"],
            directory: temporary.path)
        let result = try result(answer.output)
        #expect(answer.status == 3 && result.verdict == "inconclusive", "\(answer)")
        #expect(result.reason?.contains("the budget is used up") == true, "\(result)")
        let explored = try #require(result.explored)
        #expect(explored.epochs < explored.of && explored.unit == "parts", "\(explored)")
    }

    @Test func `an io-error run begins no further fault after its budget`() throws {
        let answer = try Faultline.run(
            ["run", "engine", "--scenario", "io-error", "--ops", "60", "--budget", "1s", "--json"],
            directory: temporary.path)
        let result = try result(answer.output)
        #expect(answer.status == 3, "\(answer)")
        let explored = try #require(result.explored)
        #expect(explored.epochs < explored.of && explored.unit == "trials")
        // One family may have been begun.
        let left = result.faults?.count { $0.detail == English().words(for: .budgetIsUsedUp) } ?? 0
        #expect(left > 0 && (0...1).contains(explored.of - explored.epochs - left), "\(result)")
    }

    @Test func `a matrix takes a budget for both`() throws {
        let text = "cells: [{target: engine, scenario: io-error, ops: 60, budget: 1s, partial: true}]"
        try text.write(toFile: temporary.path + "/m.yaml", atomically: true, encoding: .utf8)
        let answer = try Faultline.run(["matrix", "m.yaml", "--json"], directory: temporary.path)
        #expect(answer.output.contains(/"unit" ?: ?"trials"/), "\(answer)")
    }

    @Test(arguments: ["smoke", "kill"])
    func `other scenarios take no budget`(scenario: String) throws {
        let answer = try Faultline.run(
            ["run", "engine", "--scenario", scenario, "--budget", "1s"], directory: temporary.path)
        #expect(answer.status == 2, "\(answer)")
        for type in ScenarioList.all where type.takes("budget", in: .commandLine) {
            #expect(answer.error.contains(type.name.rawValue), "\(answer)")
        }
    }

    @Test func `Ctrl-C keeps what was found`() throws {
        try writeStore(syncs: false)
        let (process, output, _) = try Faultline.start(
            ["run", "slow.yaml", "--scenario", "power-cut", "--ops", "12", "--json"], directory: temporary.path)
        // The control, the first states, and some of those that are tried to make the first failing one smaller.
        while process.isRunning, try count() < 10 { usleep(20_000) }
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let result = try result(text)
        #expect(process.terminationStatus == 130 && result.verdict == "violation", "\(text)")
        let place = try #require(result.findings.first?.case, "\(text)")
        #expect(FileManager.default.fileExists(atPath: place + "/case.json"))
    }

    private func count() throws -> Int {
        (FileManager.default.contents(atPath: recoveries) ?? Data()).count { $0 == UInt8(ascii: "\n") }
    }

    @Test func `it is said what is being done`() {
        var said: [String] = []
        let activity = Activity { said.append($0.words) }
        activity.begin("power cut 2 of 6, create")
        activity.note(state: 14, of: 90)
        activity.willRecover()
        activity.minimising {
            activity.willRecover()
            activity.willRecover()
        }
        activity.endLooking()
        activity.willRecover()
        #expect(
            said == [
                "power cut 2 of 6, create", "power cut 2 of 6, create: crash state 14 of 90",
                "power cut 2 of 6, create: crash state 14 of 90: minimising failing state 1, 1 tried",
                "power cut 2 of 6, create: crash state 14 of 90: minimising failing state 1, 2 tried",
                "power cut 2 of 6, create",
            ])
    }
}

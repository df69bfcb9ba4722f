import Bytes
import Foundation
import Targets
import Testing

@testable import Machine
@testable import Runs
@testable import Scenarios

/// Plans in cases are read as every version wrote them, and written so that each can read them.
struct RunPlanTests {
    /// As the version before options were declared wrote them.
    static let old: [(plan: String, command: String)] = [
        (
            """
            {"contract":"durable","cutAims":["recovery"],"cycles":3,"operationCount":50,"profile":"xfs","rules":[],
             "scenario":"power-cut","seed":4,"threadCount":2,"valueBytes":700}
            """, "--seed 4 --ops 50 --value-len 700 --threads 2 --cut-at recovery --cycles 3"
        ),
        (
            """
            {"contract":"durable","cutAims":[],"cycles":10,"killAtAcknowledgement":7,"operationCount":50,
             "profile":"ext4-ordered","rules":[],"scenario":"kill","seed":1,"threadCount":1}
            """, "--seed 1 --ops 50 --cycles 10 --kill-at-ack 7"
        ),
        (
            """
            {"contract":"durable","cutAims":[],"cycles":1,"killAtFile":"*.log","operationCount":50,
             "profile":"ext4-ordered","rules":[],"scenario":"kill","seed":1,"threadCount":1}
            """, "--seed 1 --ops 50 --cycles 1 --kill-at-file *.log"
        ),
        (
            """
            {"contract":"durable","cutAims":[],"cycles":1,"operationCount":50,"profile":"ext4-ordered",
             "rules":["fsync nth=3 -> EIO lose"],"scenario":"io-error","seed":1,"threadCount":1}
            """, "--seed 1 --ops 50 --cycles 1 --rule fsync nth=3 -> EIO lose"
        ),
        (
            """
            {"contract":"durable","cutAims":[],"cycles":1,"operationCount":50,"profile":"ext4-ordered",
             "rules":[],"scenario":"io-error","seed":1,"sweepsFaults":true,"threadCount":1}
            """, "--seed 1 --ops 50 --cycles 1 --sweep"
        ),
        (
            """
            {"contract":"durable","cutAims":[],"cycles":0,"exploration":{"depth":2,"probesWriting":true,"rules":[],
             "samplesPerEpoch":4,"statesPerEpoch":64,"usesCommands":false},"operationCount":5,"profile":"strict",
             "rules":[],"scenario":"explore","seed":1,"threadCount":1}
            """, "--seed 1 --ops 5 --epoch-states 64 --samples 4 --depth 2 --writable"
        ),
        (
            """
            {"contract":"durable","cutAims":[],"cycles":0,"exploration":{"depth":1,"probesWriting":false,
             "rules":["fsync -> EIO"],"samplesPerEpoch":256,"smallWorkloadSteps":2,"statesPerEpoch":65536,
             "usesCommands":true},"operationCount":5,"profile":"ext4-ordered","rules":[],"scenario":"explore","seed":1,
             "threadCount":1}
            """,
            "--seed 1 --ops 5 --epoch-states 65536 --samples 256 --workloads small --length 2 --commands --rule fsync -> EIO"
        ),
        (
            """
            {"contract":"durable","cutAims":[],"cycles":7,"exploration":{"depth":1,"probesWriting":false,"rules":[],
             "samplesPerEpoch":256,"statesPerEpoch":65536,"usesCommands":false},"operationCount":5,"profile":"all",
             "rules":[],"scenario":"explore","seed":1,"threadCount":1}
            """, "--seed 1 --ops 5 --epoch-states 65536 --samples 256"
        ),
    ]

    @Test(arguments: old) func `an old plan is the same run, and is written as it was`(plan: String, command: String)
        throws
    {
        let read = try JSONDecoder().decode(RunPlan.self, from: Data(plan.utf8))
        let target = try TargetCatalog(driver: "/nowhere/faultline-target").target("engine").configured()
        let request = try read.request(target, path: "case.json")
        let words = request.arguments()
        #expect(words.joined(separator: " ").hasSuffix(command), "\(words)")
        // But for what has its default now where it was left out, and for cycles of a scenario that has none.
        func object(_ data: Data) throws -> NSDictionary {
            var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            for key in ["sweepsFaults", "includesInit"] where object[key] as? Bool == false { object[key] = nil }
            if (object["families"] as? [String])?.isEmpty == true { object["families"] = nil }
            if var exploration = object["exploration"] as? [String: Any], exploration["includesInit"] as? Bool == false
            {
                exploration["includesInit"] = nil
                object["exploration"] = exploration
            }
            if request.scenario is ExploreScenario { object["cycles"] = nil }
            return object as NSDictionary
        }
        let again = try JSONText.bytes(of: RunPlan(of: request), .object)
        #expect(try object(Data(again)) == object(Data(plan.utf8)))
    }

    @Test(arguments: [
        (#""scenario":"kill","cutAims":["work"]"#, "run.cutAims cannot be 'work'"),
        (#""scenario":"kill","cycles":1001"#, "run.cycles cannot be '1001'"),
        (#""scenario":"explore","cycles":-1"#, "run.cycles cannot be '-1'"),
        (#""scenario":"explore","exploration":{"depth":3}"#, "run.exploration.depth cannot be '3'"),
        (#""scenario":"smoke","sweepsFaults":true"#, "run.sweepsFaults cannot be 'true'"),
        (#""scenario":"of tomorrow""#, "run.scenario cannot be 'of tomorrow'"),
        (#""scenario":"explore","threadCount":2"#, "run.threadCount cannot be '2'"),
        (#""scenario":"power-cut","profile":"all""#, "run.profile cannot be 'all'"),
    ])
    func `a plan that no run could have left is refused with its field`(fields: String, reason: String) throws {
        var object =
            try JSONSerialization.jsonObject(
                with: Data(
                    """
                    {"contract":"durable","cutAims":[],"cycles":1,"operationCount":5,"profile":"strict","rules":[],"seed":1,
                     "threadCount":1}
                    """.utf8)) as? [String: Any] ?? [:]
        let changed = try JSONSerialization.jsonObject(with: Data("{\(fields)}".utf8)) as? [String: Any] ?? [:]
        object.merge(changed) { $1 }
        let plan = try JSONDecoder().decode(RunPlan.self, from: JSONSerialization.data(withJSONObject: object))
        let target = try TargetCatalog(driver: "/nowhere/faultline-target").target("engine").configured()
        let error = #expect(throws: CaseError.self) { try plan.request(target, path: "case.json") }
        #expect(error?.description == "case.json: \(reason)")
    }
}

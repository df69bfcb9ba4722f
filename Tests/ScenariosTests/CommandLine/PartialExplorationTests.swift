import Foundation
import Scenarios
import Testing

/// A run whose budget ended before every epoch was explored: what it may call itself, and what each report says of it.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct PartialExplorationTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func run(_ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(arguments, directory: temporary.path)
    }

    private func verdict(_ answer: Faultline.Answer) -> String {
        String(answer.output.prefix { !$0.isNewline })
    }

    @Test func `a pass needs every epoch, unless the user accepts a part`() throws {
        let some = ["explore", "engine", "--ops", "40", "--states", "100"]
        let refused = try Faultline.run(some, directory: temporary.path)
        #expect(refused.status == 3 && verdict(refused).hasPrefix("inconclusive  engine"), "\(refused)")
        #expect(refused.output.contains("continue with: "))
        let accepted = try Faultline.run(some + ["--partial"], directory: temporary.path)
        let pattern = /^pass \(partial (\d+)\/(\d+)\)  engine/
        let counts = try #require(verdict(accepted).firstMatch(of: pattern), "\(accepted)")
        let (explored, all) = (try #require(Int(counts.1)), try #require(Int(counts.2)))
        #expect(accepted.status == 0 && explored < all)
        let whole = try run("explore", "engine", "--ops", "20", "--profile", "strict")
        #expect(whole.status == 0 && verdict(whole).hasPrefix("pass  engine"), "\(whole)")
    }

    @Test func `every report of a matrix shows how much a pass stands for`() throws {
        func matrix(_ line: String) throws -> Faultline.Answer {
            let text = """
                cells:
                  - {target: engine, scenario: explore, ops: 40, states: 100\(line)}
                """
            try text.write(toFile: temporary.path + "/m.yaml", atomically: true, encoding: .utf8)
            return try run("matrix", "m.yaml", "--junit", "j.xml")
        }
        #expect(try matrix("").status == 3)
        let answer = try matrix(", partial: true")
        #expect(answer.status == 0, "\(answer)")
        let counts = try #require(answer.output.firstMatch(of: /pass \(partial (\d+\/\d+)\) +engine/)?.1, "\(answer)")
        let epochs = String(counts.split(separator: "/")[1])
        #expect(try String(contentsOfFile: temporary.path + "/j.xml", encoding: .utf8).contains("/\(epochs) epochs"))
        let log = try String(contentsOfFile: temporary.path + "/faultline-runs/matrix-2.jsonl", encoding: .utf8)
        #expect(log.contains(#""of":\#(epochs)"#), "\(log)")
    }

    @Test func `partial is for scenarios with a budget`() throws {
        let text = "cells: [{target: engine, scenario: smoke, partial: true}]"
        try text.write(toFile: temporary.path + "/m.yaml", atomically: true, encoding: .utf8)
        let answer = try run("matrix", "m.yaml")
        #expect(answer.status == 2 && answer.error.contains("partial is for scenario: "), "\(answer)")
        for type in ScenarioList.all where type.takes("partial", in: .matrix) {
            #expect(answer.error.contains(type.name.rawValue), "\(answer)")
        }
    }
}

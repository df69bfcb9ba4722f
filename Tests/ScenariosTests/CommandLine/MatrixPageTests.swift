import Foundation
import Testing

/// `faultline report LOG --page NAME`: pages of Markdown of a matrix.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests")) struct MatrixPageTests {
    private let temporary: TemporaryDirectory

    init() throws {
        temporary = try TemporaryDirectory()
        try write(
            "m.yaml",
            """
            cells:
              - {target: engine, set: {planted: delete-unlogged}, scenario: smoke, ops: 60, expect: violation, reason: "x/y#1"}
              - {target: engine, scenario: smoke, ops: 60, reason: mended}
            """)
        let answer = try Faultline.run(["matrix", "m.yaml"], directory: temporary.path)
        try #require(answer.status == 0, "\(answer)")
    }

    private func write(_ name: String, _ text: String) throws {
        try text.write(toFile: temporary.path + "/" + name, atomically: true, encoding: .utf8)
    }

    private func page(_ name: String, _ options: String...) throws -> Faultline.Answer {
        try Faultline.run(
            ["report", "faultline-runs/matrix-1.jsonl", "--page", name, "-o", "-"] + options, directory: temporary.path)
    }

    @Test func `published bugs are counted, and what is mended stands beside them`() throws {
        let answer = try page("published-bugs")
        #expect(answer.status == 0 && answer.output.contains("\n1 of 1 were found.\n"), "\(answer)")
        #expect(
            answer.output.contains("| x/y#1 | engine `planted=delete-unlogged` | found | 2 findings |"), "\(answer)")
        #expect(answer.output.contains("| mended | engine default | held | held |"), "\(answer)")
    }

    @Test(.enabled(if: TestMachine.hasFUSE))
    func `a page says which step of a state is the slowest`() throws {
        try write(
            "bench.yaml",
            "cells: [{target: sqlite, set: {synchronous: extra}, scenario: explore, ops: 1, states: 20, partial: true}]"
        )
        let run = try Faultline.run(["matrix", "bench.yaml"], directory: temporary.path)
        #expect(run.status == 0, "\(run)")
        let answer = try Faultline.run(
            ["report", "faultline-runs/matrix-2.jsonl", "--page", "target-rates", "-o", "-"], directory: temporary.path)
        let lines = answer.output.split(separator: "\n")
        let row = try #require(lines.first { $0.hasPrefix("| sqlite | ") && $0.contains(" % |") }, "\(answer)")
        let cells = row.split(separator: "|", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        // A state has files and is recovered by a process; no server is started or killed.
        #expect(Int(cells[2]).map { $0 > 0 } == true, "\(row)")
        #expect(["derive", "files", "start", "recover"].contains(cells[3]), "\(row)")
        #expect(!cells[8].isEmpty && cells[9].isEmpty && cells[10].isEmpty, "\(row)")
    }

    @Test func `a finding without a note is a gap of the track record, and a note closes it`() throws {
        let open = try page("track-record")
        #expect(open.status == 3 && open.error.contains("no-resurrection: no note says why"), "\(open)")
        #expect(open.output.contains("- not looked at yet:"), "\(open)")
        try write("notes.yaml", "notes: [{target: engine, judgement: undocumented, reason: why, source: https://x.y}]")
        let closed = try page("track-record", "--notes", "notes.yaml")
        #expect(
            closed.status == 0 && closed.output.contains("- not documented: why ([source](https://x.y))"), "\(closed)")
    }

    @Test func `wrong notes and pages are refused`() throws {
        try write("notes.yaml", "notes: [{target: engine, judgement: maybe, reason: why}]")
        for (options, error) in [
            (["track-record", "--notes", "notes.yaml"], "judgement is one of"), (["x"], "no page x"),
        ] {
            let answer = try Faultline.run(
                ["report", "faultline-runs/matrix-1.jsonl", "-o", "-", "--page"] + options, directory: temporary.path)
            #expect(answer.status == 2 && answer.error.contains(error), "\(answer)")
        }
    }
}

import Foundation
import Runs
import Testing

/// `faultline soak`, as a user calls it.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct SoakCommandTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func soak(_ arguments: String...) throws -> Faultline.Answer {
        try Faultline.run(["soak"] + arguments + ["--out", "runs"], directory: temporary.path)
    }

    @Test(arguments: [
        (["--duration", "0"], "a time, such as 60s"), (["--duration", "soon"], "a time, such as 60s"),
        (["--life", "499"], "from 500 to 100000"), (["--ops", "1000"], "--life how many"),
        (["--set", "planted=nonsense"], "allowed"), (["--threads", "0"], "from 1 to 256"),
    ])
    func `a wrong option says what is right`(_ arguments: [String], _ hint: String) throws {
        let answer = try Faultline.run(["soak", "engine"] + arguments, directory: temporary.path)
        #expect(answer.status == 2 && answer.error.contains(hint), "\(answer)")
    }

    @Test(
        .enabled(if: TestMachine.hasFUSE),
        arguments: [("memory-leaked", SoakMeasure.memory), ("descriptor-leaked", .descriptors)])
    func `a planted leak ends the soak`(_ bug: String, _ measure: SoakMeasure) throws {
        let answer = try soak("engine", "--set", "planted=\(bug)", "--life", "1500", "--duration", "5m", "--json")
        #expect(answer.status == 1, "\(answer.error)")
        let result = try JSONDecoder().decode(RunResult.self, from: Data(answer.output.utf8))
        let soak = try #require(result.soak)
        #expect(soak.growths.map(\.measure) == [measure] && soak.growths.map(\.kind) == [.leak])
        #expect(result.findings.isEmpty && result.reason?.contains("leak") == true)
        #expect(soak.cycles.count == SoakResult.Cycle.allCases.count)
    }

    @Test(.enabled(if: TestMachine.hasFUSE)) func `a violation ends the soak, and its case fails again`() throws {
        let answer = try soak("engine", "--set", "planted=delete-unlogged", "--life", "500", "--duration", "5m")
        #expect(answer.status == 1, "\(answer)")
        #expect(answer.output.contains("no-resurrection"), "\(answer.output)")
        let run = temporary.path + "/runs/faultline-engine-soak-1-1"
        #expect(try Faultline.run(["replay", run + "/cases/1"], directory: temporary.path).status == 1)
    }

    @Test(.enabled(if: TestMachine.hasFUSE)) func `a short soak passes, and leaves a line for each interval`() throws {
        let answer = try soak("engine", "--life", "1000", "--duration", "12s", "--report", "html=soak.html")
        #expect(answer.status == 0 || answer.status == 3, "\(answer)")
        #expect(answer.output.contains("killed at work"), "\(answer.output)")
        let run = temporary.path + "/runs/faultline-engine-soak-1-1"
        let lines = try String(contentsOfFile: run + "/soak.jsonl", encoding: .utf8).split(separator: "\n")
        let points = try lines.map { try JSONDecoder().decode(SoakResult.Point.self, from: Data($0.utf8)) }
        #expect(points.count > 1 && points.map(\.seconds) == points.map(\.seconds).sorted())
        for point in points {
            #expect(Set(point.latencies.keys) == ["put", "sync", "get"])
            #expect(point.value(of: .storeBytes) ?? 0 > 0 && point.value(of: .ownMemory) ?? 0 > 0)
        }
        // Each interval is also a line for people, although standard error is no terminal.
        #expect(
            answer.error.split(separator: "\n").count { $0.contains("recovery") } == points.count, "\(answer.error)")
        let page = try String(contentsOfFile: temporary.path + "/soak.html", encoding: .utf8)
        #expect(
            page.contains("<polyline points=\"") && page.contains("faultline&#x27;s memory") || page.contains("memory"))
    }

    @Test(.enabled(if: TestMachine.hasFUSE)) func `an interrupted soak keeps what it measured`() throws {
        let (process, output, error) = try Faultline.start(
            ["soak", "engine", "--life", "500", "--duration", "1h", "--out", "runs"], directory: temporary.path)
        let log = temporary.path + "/runs/faultline-engine-soak-1-1/oracle.jsonl"
        for _ in 0..<600 where !FileManager.default.fileExists(atPath: log) { usleep(50_000) }
        process.interrupt()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        _ = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(text.contains("interrupted") && text.contains("cycle"), "\(text)")
        let left = try FileManager.default.contentsOfDirectory(
            atPath: temporary.path + "/runs/faultline-engine-soak-1-1")
        #expect(left.contains("result.json") && !left.contains("life.trace"))
    }
}

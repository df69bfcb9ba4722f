import Foundation
import Testing

/// `explore --profile all`: one recorded run under every profile.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct EveryProfileTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    private func explore(_ words: String...) throws -> (status: Int32, result: [String: Any]) {
        let answer = try Faultline.run(["explore", "engine", "--json"] + words, directory: temporary.path)
        let object = try JSONSerialization.jsonObject(with: Data(answer.output.utf8))
        return (answer.status, try #require(object as? [String: Any], "\(answer)"))
    }

    /// Profile, verdict, failing and judged states.
    private func rows(_ result: [String: Any]) throws -> [String] {
        let profiles = try #require(result["profiles"] as? [[String: Any]])
        return profiles.map { "\($0["profile"]!) \($0["verdict"]!) \($0["failingStates"]!) \($0["decided"]!)" }
    }

    private static let names = [
        "kill", "strict", "ext4-journal", "ext4-ordered", "ext4-writeback", "xfs", "btrfs", "posix-min",
    ]

    @Test(arguments: ["directory-unsynced", "ack-before-sync"])
    func `each profile has the verdict that it has alone`(bug: String) throws {
        let store = ["--ops", "12", "--set", "planted=\(bug)"]
        let all = try explore(store[0], store[1], store[2], store[3], "--profile", "all")
        #expect(all.status == 1)
        let alone = try Self.names.map { name in
            let result = try explore(store[0], store[1], store[2], store[3], "--profile", name).result
            let states = try #require(result["states"] as? [String: Any])
            let findings = try #require(result["findings"] as? [[String: Any]])
            let failing = findings.compactMap { $0["states"] as? Int }.reduce(0, +)
            return "\(name) \(result["verdict"]!) \(failing) \(states["decided"]!)"
        }
        #expect(try rows(all.result) == alone)
        let findings = try #require(all.result["findings"] as? [[String: Any]])
        let strongest = findings.compactMap { $0["strongestProfile"] as? String }.compactMap(Self.names.firstIndex)
        let firstFailing = alone.firstIndex { $0.contains(" violation ") }
        #expect(strongest.min() == firstFailing && firstFailing != nil, "\(alone)")
        // A state that several profiles leave is recovered once.
        let states = try #require(all.result["states"] as? [String: Any])
        let (checked, decided) = (try #require(states["checked"] as? Int), try #require(states["decided"] as? Int))
        #expect(checked * 4 < decided)
    }

    @Test func `a run under one profile names the weaker ones`() throws {
        let result = try explore("--ops", "5", "--profile", "xfs").result
        #expect(result["profilesNotTried"] as? [String] == ["btrfs", "posix-min"])
        #expect(try explore("--ops", "5", "--profile", "all").result["profilesNotTried"] == nil)
    }

    @Test func `what a budget stopped is continued for each profile`() throws {
        let whole = try explore("--ops", "40", "--profile", "all").result
        var answer = try explore("--ops", "40", "--profile", "all", "--states", "60")
        #expect(answer.status == 3)
        for _ in 0..<20 where answer.status == 3 {
            let directory = try #require(answer.result["directory"] as? String)
            answer = try explore("--ops", "40", "--profile", "all", "--states", "60", "--resume", directory)
        }
        #expect(answer.status == 0)
        let verdicts = try rows(answer.result).map { $0.split(separator: " ").prefix(3) }
        #expect(try rows(whole).map { $0.split(separator: " ").prefix(3) } == verdicts)
    }

    @Test(arguments: [["--depth", "2"], ["--writable"], ["--workloads", "small"]])
    func `what works under one profile is refused`(words: [String]) throws {
        let answer = try Faultline.run(
            ["explore", "engine", "--profile", "all"] + words, directory: temporary.path)
        #expect(answer.status == 64 || answer.status == 2, "\(answer)")
        #expect(answer.error.contains("--profile all goes with none of"), "\(answer)")
    }
}

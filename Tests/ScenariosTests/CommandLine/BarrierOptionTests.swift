import Foundation
import Testing

/// `explore --barriers`.
@Suite(.enabled(if: Faultline.path != nil, "the program was not built beside the tests"))
struct BarrierOptionTests {
    private let temporary: TemporaryDirectory

    init() throws { temporary = try TemporaryDirectory() }

    /// The call, the files, and whether they are needed.
    private func barriers(_ words: [String], status: Int32 = 0) throws -> (rows: [String], text: String) {
        let answer = try Faultline.run(
            ["explore"] + words + ["--barriers", "--out", "runs", "--report", "json=report.json"],
            directory: temporary.path)
        #expect(answer.status == status, "\(answer)")
        let json = try Data(contentsOf: URL(filePath: temporary.path + "/report.json"))
        #expect(try JSONSchema("explore.json").problems(of: json) == [])
        let object = try JSONSerialization.jsonObject(with: json) as? [String: Any]
        let patterns = (object?["barriers"] as? [String: Any])?["patterns"] as? [[String: Any]] ?? []
        let rows = patterns.map { row in
            let pattern = row["pattern"] as? [String: Any] ?? [:]
            return "\(pattern["call"] ?? "") \(pattern["path"] ?? ""): \(row["need"] ?? "")"
        }
        return (rows, answer.output)
    }

    @Test func `the engine needs all its syncs but those of its end`() throws {
        let (rows, text) = try barriers(["engine", "--ops", "6"])
        #expect(rows.contains("fdatasync #-#.log: needed"), "\(rows)")
        #expect(!rows.contains { $0.hasSuffix("undecided") }, "\(rows)")
        #expect(text.contains("which barriers this run needs under ext4-ordered"))
    }

    @Test(.enabled(if: TestMachine.hasFUSE, "no FUSE here"))
    func `SQLite needs the sync of its journal`() throws {
        let (rows, _) = try barriers([
            "sqlite", "--ops", "4", "--set", "journal_mode=delete", "--set", "synchronous=extra",
        ])
        #expect(rows.contains { $0.hasSuffix("a.db-journal: needed") }, "\(rows)")
        #expect(rows.contains { $0.hasPrefix("fsync .:") && $0.contains("needed") }, "\(rows)")
    }
}

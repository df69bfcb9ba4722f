import Block
import Foundation
import Litmus
import Model
import Testing

/// The table of docs/crash-model.md: what filesystems were seen to leave of each script, of what their profiles allow.
struct LitmusPage {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The names of the columns, and each row by the name of its script.
    private(set) var columns: [String] = []
    private(set) var rows: [String: [String]] = [:]

    init() throws {
        let text = try String(contentsOf: Self.root.appending(path: "docs/crash-model.md"), encoding: .utf8)
        for line in text.split(separator: "\n") where line.hasPrefix("| ") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            if cells[0] == "seen/allowed (images)" { columns = Array(cells.dropFirst()) }
            if cells[0].first?.isNumber == true { rows[cells[0]] = Array(cells.dropFirst()) }
        }
    }
}

/// A script or a profile that changes makes a table of yesterday wrong, which the models can tell without a filesystem.
struct LitmusPageTests {
    @Test func `the table has every script and filesystem, with what the profile allows today`() throws {
        let page = try LitmusPage()
        let filesystems = BlockFilesystem.allCases.filter { $0.profile != nil && $0 != .f2fs }
        #expect(page.columns == filesystems.map(\.rawValue))
        let folder = LitmusPage.root.appending(path: "Tests/ModelTests/Scripts")
        var scripts: Set<String> = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".litmus") {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            let script = try LitmusScript(name: String(name.dropLast(7)), text: text)
            guard script.isExecutable else { continue }
            scripts.insert(script.name)
            let trace = try LitmusTrace(script)
            let row = try #require(page.rows[script.name], "\(script.name) is not in the table")
            for (filesystem, cell) in zip(filesystems, row) {
                let numbers = cell.split { !$0.isNumber }.compactMap { Int($0) }
                try #require(numbers.count == 3, "\(script.name): \(cell)")
                let allowed = try trace.outcomes(filesystem.profile!, unitBytes: script.unitBytes).count
                #expect(numbers[1] == allowed, "\(script.name) on \(filesystem.rawValue)")
                let isPossible = (1...allowed).contains(numbers[0]) && numbers[2] > 0
                #expect(isPossible, "\(script.name) on \(filesystem.rawValue): \(cell)")
            }
        }
        #expect(Set(page.rows.keys) == scripts)
    }
}

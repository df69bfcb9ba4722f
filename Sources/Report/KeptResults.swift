import Bytes
import Foundation
import Machine
import Matrices
import Oracle
import Replay
import Runs

/// Stored results as one page: run directories, cases or matrix logs. Runs nothing.
package struct KeptResults {
    /// Why something cannot be shown.
    package struct Problem: Error, CustomStringConvertible {
        package var description: String
    }

    private var runs: [RunResult] = []
    private var cases: [(path: ByteString, record: CaseRecord)] = []
    private var rows: [MatrixRow] = []
    private var notes: [String] = []
    private let program: String

    /// - Parameter program: how commands name this program.
    package init(_ paths: [ByteString], program: String) throws {
        self.program = program
        for path in paths {
            if RunFiles.exists(path.appending(component: Self.resultName)) {
                runs.append(try Self.run(path, program))
            } else if RunFiles.exists(path.appending(component: CaseRecord.fileName)) {
                cases.append((path, try CaseRecord(directory: path)))
            } else if CaseArchive.isFile(path) {
                try readLog(path)
            } else {
                throw Problem(
                    description:
                        "\(path.shown) holds no results: name the directory of a run (with result.json), a case (with case.json) or the log of a matrix (matrix-1.jsonl)"
                )
            }
        }
        let kinds = [!runs.isEmpty, !cases.isEmpty, !rows.isEmpty].count { $0 }
        guard kinds == 1 else {
            throw Problem(description: "runs, cases and matrices have pages of their own: name those of one kind")
        }
    }

    package static let resultName: ByteString = "result.json"

    private static func run(_ directory: ByteString, _ program: String) throws -> RunResult {
        let path = directory.appending(component: resultName)
        do {
            let result = try JSONDecoder().decode(RunResult.self, from: Data(try RunFiles.read(path)))
            return result.resolvingLocalPaths(
                in: RunResult.folder(of: try directory.absolutePath().shown), program: program)
        } catch let error as DecodingError {
            throw Problem(description: "\(path.shown) is no result of a run: \(JSONText.words(error))")
        }
    }

    private mutating func readLog(_ path: ByteString) throws {
        let (header, found, _) = try MatrixLog.read(path, program: program)
        rows += found.sorted { $0.key < $1.key }.map(\.value)
        let all = (0..<header.cells).count { header.shard.holds($0) }
        let left = all - found.count
        if left > 0 { notes.append("\(path.shown): \(left) of \(all.counted("cell")) not finished") }
        if all == 0 { notes.append("\(path.shown): no cell") }
    }

    /// The page as HTML.
    ///
    /// - Parameter earlier: the log of an earlier matrix, to compare with.
    package func html(against earlier: ByteString?, showsAll: Bool) throws -> [UInt8] {
        guard earlier == nil || !rows.isEmpty else {
            throw Problem(description: "--against compares matrices: name the log of one")
        }
        return try HTMLDocument.bytes(of: try page(earlier.map { try MatrixTrend($0, program: program) }, showsAll))
    }

    private func page(_ trend: MatrixTrend?, _ showsAll: Bool) throws -> HTMLPage {
        if !runs.isEmpty { return RunReport.page(runs) }
        if !rows.isEmpty {
            var page = try MatrixReport(rows, showsAll: showsAll, against: trend).page()
            page.notes += notes
            return page
        }
        var page = HTMLPage(
            title: cases.count == 1 ? "Case of \(cases[0].record.target)" : cases.count.counted("case"),
            verdict: HTMLVerdict(.violation))
        page.findings = try cases.enumerated().map { index, one in try finding(of: one.path, one.record, index + 1) }
        return page
    }

    /// The finding, with its story if the case is in its run's directory.
    private func finding(of path: ByteString, _ record: CaseRecord, _ number: Int) throws -> HTMLFinding {
        let facts = try FindingFacts.read(path)
        let absolute = try path.absolutePath()
        let run = ByteString(RunResult.folder(of: RunResult.folder(of: absolute.shown).dropLastSlash).dropLastSlash)
        if let result = try? Self.run(run, program),
            let known = result.findings.first(where: { $0.case == absolute.shown })
        {
            return HTMLFinding(known, number: number, facts)
        }
        var finding = HTMLFinding(
            number: number, check: record.check.description, headline: record.story, verdict: HTMLVerdict(.violation))
        finding.firstCrash = record.firstCrash
        finding.caseName = path.shown
        finding.commands = [
            .init(purpose: "Replay the crash", text: "\(program) replay \(ReproduceScript.quoted(path.shown))")
        ]
        finding.remarks = (record.confirmed ?? []).map(\.words)
        if let facts {
            finding.draw(facts, nil)
        } else {
            finding.noTimeline = "The case holds no crash of a recorded run."
        }
        return finding
    }
}

extension MatrixTrend {
    /// The log of an earlier matrix.
    package init(_ path: ByteString, program: String) throws {
        let (_, rows, _) = try MatrixLog.read(path, program: program)
        self.init(path.shown, Array(rows.values))
    }
}

extension String {
    fileprivate var dropLastSlash: String { hasSuffix("/") && count > 1 ? String(dropLast()) : self }
}

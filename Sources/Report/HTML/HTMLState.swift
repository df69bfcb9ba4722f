import Bytes
import Exploration
import Model
import Replay

/// A crash state among its neighbours: its losses, its recovery and its files.
struct HTMLState {
    /// A file before the run, as programs saw it, and after the crash.
    struct File {
        var path: String
        var before: String
        var believed: String
        var after: String
        var change: String
        var changeTone: String
        var changedRanges: String?
    }

    /// A run of equal or of differing bytes.
    struct Bytes {
        var text: String
        var isChanged: Bool
    }

    struct HexRow {
        var address: String
        var written: [Bytes]
        var left: [Bytes]
    }

    struct HexTable {
        var hexPath: String
        var rows: [HexRow]
        /// Whether more bytes differ.
        var isCut: Bool
    }

    var stateID: String
    var label: String
    var outcome: HTMLVerdict
    var isFinding: Bool
    var lostWords: [String]
    var files: [File]
    var filesLeftOut: Int?
    var hexTables: [HexTable]

    private static let hexRowsAtMost = 24

    /// - Parameter isCrash: false for a state observed after a fault.
    init(_ state: StateFacts, id: String, finding: StateFacts, isCrash: Bool) {
        stateID = id
        label = Self.label(state, finding)
        outcome = Self.outcome(state)
        isFinding = state.kind == .finding
        lostWords = state.losses.prefix(12).map { "lost: \($0.words)" }
        if state.losses.count > 12 { lostWords.append("and \(state.losses.count - 12) more") }
        if lostWords.isEmpty { lostWords = [isCrash ? "nothing is lost" : "no power cut"] }
        files = state.files.shown.map(File.init)
        filesLeftOut = state.files.leftOut > 0 ? state.files.leftOut : nil
        hexTables = []
        var room = Self.hexRowsAtMost
        for file in state.files.shown where room > 0 && !file.windows.isEmpty {
            let rows = file.windows.flatMap(HexRow.rows(of:)).prefix(room)
            room -= rows.count
            let shownBytes = rows.count * HexRow.width
            // A file that is missing on one side differs in all its bytes.
            let differing =
                file.changes.isEmpty
                ? max(file.believedBytes ?? 0, file.foundBytes ?? 0) : file.changes.reduce(0) { $0 + UInt64($1.count) }
            let isCut = differing > UInt64(shownBytes)
            hexTables.append(HexTable(hexPath: file.path.description, rows: Array(rows), isCut: isCut))
        }
    }

    private static func label(_ state: StateFacts, _ finding: StateFacts) -> String {
        switch state.kind {
        case .finding: return state.lost.isEmpty ? "the failing state" : "the smallest failing state"
        case .neighbour(.allLost): return "all unsynced changes lost"
        case .neighbour(.allKept):
            return finding.losses.count == 1 ? "the lost change kept" : "all unsynced changes kept"
        case .neighbour(.oneKept):
            let kept = finding.losses.filter { !state.losses.contains($0) }.map(\.change)
            return "kept: " + (kept.first ?? "one change")
        }
    }

    private static func outcome(_ state: StateFacts) -> HTMLVerdict {
        switch state.verdict {
        case nil: HTMLVerdict(word: "not recovered", symbol: "–", tone: "faint")
        case .violation?: HTMLVerdict(.violation, word: "fails" + (state.check.map { ": \($0.rawValue)" } ?? ""))
        case .pass?: HTMLVerdict(.pass, word: "passes")
        case let verdict?: HTMLVerdict(verdict)
        }
    }
}

extension HTMLState.File {
    fileprivate init(_ file: FileFacts) {
        func size(_ bytes: UInt64?) -> String {
            guard let bytes else { return "–" }
            return file.kind == .file ? "\(bytes)" : Self.word(file.kind)
        }
        path = file.path.description + (file.kind == .directory ? "/" : "")
        (before, believed, after) = (size(file.beforeBytes), size(file.believedBytes), size(file.foundBytes))
        (change, changeTone) = Self.change(file)
        guard !file.changes.isEmpty else { return }
        let shown = file.changes.prefix(6).map {
            $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound - 1)"
        }
        let rest = file.changes.count - shown.count
        changedRanges =
            shown.joined(separator: ", ") + (rest > 0 ? ", \(rest) more" : "")
            + (file.isPartial ? " (not all of it was compared)" : "")
    }

    private static func word(_ kind: FileFacts.Kind) -> String {
        switch kind {
        case .file: "file"
        case .directory: "directory"
        case .link: "link"
        case .other: "special file"
        }
    }

    private static func change(_ file: FileFacts) -> (String, tone: String) {
        switch (file.believedBytes, file.foundBytes) {
        case (nil, nil): ("gone", "faint")
        case (nil, _?): ("back: its removal was lost", "bad")
        case (_?, nil): ("missing: its name was lost", "bad")
        case (let old?, let new?) where old != new && file.kind == .file: ("other size", "bad")
        case _ where !file.changes.isEmpty: ("other content", "bad")
        case _ where file.differs: ("other attributes", "bad")
        case (let old?, _) where file.beforeBytes != nil && file.beforeBytes != old:
            ("same: nothing of it was lost since it changed", "faint")
        default: ("same", "faint")
        }
    }
}

extension HTMLState.HexRow {
    fileprivate static let width = 16

    /// The rows of a window, 16 bytes each, with dots behind the end of a file.
    fileprivate static func rows(of window: FileFacts.Window) -> [Self] {
        let count = max(window.believed.count, window.found.count)
        return stride(from: 0, to: count, by: width).map { start in
            let places = start..<min(start + width, count)
            func side(_ bytes: [UInt8], _ other: [UInt8]) -> [HTMLState.Bytes] {
                var runs: [HTMLState.Bytes] = []
                for place in places {
                    let byte = place < bytes.count ? bytes[place] : nil
                    let isChanged = byte != (place < other.count ? other[place] : nil)
                    let text = byte.map(hex) ?? "··"
                    if let last = runs.indices.last, runs[last].isChanged == isChanged {
                        runs[last].text += " " + text
                    } else {
                        runs.append(.init(text: text, isChanged: isChanged))
                    }
                }
                return runs
            }
            return Self(
                address: "\(window.offsetBytes + UInt64(start))", written: side(window.believed, window.found),
                left: side(window.found, window.believed))
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count < 2 ? "0" + digits : digits
    }
}

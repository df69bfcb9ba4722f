import Bytes

/// A table of text whose columns align.
///
/// Cells are one line each; their text is made printable. The last column is never padded, so that lines have no blanks
/// at their ends.
package struct Table: Sendable {
    package enum Alignment: Sendable { case left, right }

    package struct Column: Sendable {
        package var title: String
        package var alignment: Alignment

        package init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    package struct Cell: Sendable, ExpressibleByStringInterpolation {
        package let text: String
        package var style: Style

        package init(_ text: String, _ style: Style = .plain) {
            self.text = text.printable
            self.style = style
        }

        package init(stringLiteral text: String) { self.init(text) }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    package init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row. Cells that are missing at its end are empty; there must not be more than columns.
    package mutating func add(_ cells: [Cell]) {
        precondition(cells.count <= columns.count, "a row has no more cells than the table has columns")
        rows.append(cells + Array(repeating: "", count: columns.count - cells.count))
    }

    /// The lines as `terminal` shows them, the titles first. Titles that are all empty are left out.
    package func lines(for terminal: Terminal) -> [ReportLine] {
        let titles = columns.map { Cell($0.title, .heading) }
        let all = (titles.contains { !$0.text.isEmpty } ? [titles] : []) + rows
        let widths = columns.indices.map { column in all.map { Self.width($0[column].text) }.max() ?? 0 }
        return all.map { row in line(row, widths, terminal) }
    }

    /// The lines, each with its line end.
    package func text(for terminal: Terminal) -> String {
        lines(for: terminal).text
    }

    private func line(_ row: [Cell], _ widths: [Int], _ terminal: Terminal) -> ReportLine {
        // Leave out trailing blanks after the last non-empty cell.
        let end = (row.lastIndex { !$0.text.isEmpty } ?? -1) + 1
        var line: ReportLine = ""
        for column in 0..<end {
            let cell = row[column]
            let blanks = ReportLine(String(repeating: " ", count: widths[column] - Self.width(cell.text)))
            let shown = cell.style.shown(cell.text, on: terminal)
            if column > 0 { line = line + "  " }
            switch columns[column].alignment {
            case .right: line = line + blanks + shown
            case .left: line = line + (column + 1 < end ? shown + blanks : shown)
            }
        }
        return line
    }

    /// The width in terminal columns. Names are printed as ASCII (ByteString); other text takes one column a character.
    private static func width(_ text: String) -> Int { text.count }
}

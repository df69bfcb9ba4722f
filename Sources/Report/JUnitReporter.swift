import Bytes
import Scenarios

/// A matrix as JUnit XML, as CI systems read it: a cell that came out as expected passes, whatever it was.
package enum JUnitReport {
    package static func text(_ rows: [MatrixRow]) -> String {
        let ran = rows.filter { $0.obstacle == nil }
        let failures = ran.count { !$0.isMet }
        let seconds = rows.compactMap { $0.result?.seconds }.reduce(0, +)
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            #"<testsuite name="faultline" tests="\#(rows.count)" failures="\#(failures)" "#
                + #"skipped="\#(rows.count - ran.count)" time="\#(seconds)">"#,
        ]
        for row in rows {
            let head =
                #"<testcase classname="\#(escaped(row.target))" name="\#(escaped(row.name))" "#
                + #"time="\#(row.result?.seconds ?? 0)""#
            if let obstacle = row.obstacle {
                lines.append(#"  \#(head)><skipped message="\#(escaped(obstacle))"/></testcase>"#)
                continue
            }
            let account = account(of: row)
            if row.isMet {
                lines.append("  \(head)" + (account.isEmpty ? "/>" : "><system-out>\(account)</system-out></testcase>"))
            } else {
                let verdict = row.result?.verdict ?? "not run"
                let message = "expected \(row.expectation), found \(verdict)"
                lines.append(
                    #"  \#(head)><failure type="\#(escaped(verdict))" message="\#(escaped(message))">"#
                        + account + "</failure></testcase>")
            }
        }
        return (lines + ["</testsuite>", ""]).joined(separator: "\n")
    }

    /// What came of a cell, as text of an element: why it was expected, the run with each story once and the commands that
    /// show it again, and where the cases lie.
    private static func account(of row: MatrixRow) -> String {
        guard let result = row.result else { return "" }
        let reason = row.reason.map { ReportLine("expected \(row.expectation): \($0)") }
        var lines: [ReportLine] = []
        for (index, finding) in result.findings.enumerated() {
            if let place = finding.case { lines.append("case of finding \(index + 1): \(place)") }
        }
        lines.append("the run again: \(result.command)")
        let text = [reason].compactMap(\.self).text + RunReport(result).text(for: .plain) + lines.text
        return escaped(text, isText: true)
    }

    /// Made printable, as for a terminal: the same log viewers show it. What XML 1.0 cannot hold is among what is escaped.
    private static func escaped(_ text: String, isText: Bool = false) -> String {
        var escaped = ""
        for scalar in (isText ? text.printableLines : text.printable).unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

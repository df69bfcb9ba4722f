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
            } else if row.isMet {
                let coverage = row.result?.coverage.map { "<system-out>\(escaped($0))</system-out>" }
                lines.append("  \(head)" + (coverage.map { ">\($0)</testcase>" } ?? "/>"))
            } else {
                let verdict = row.result?.verdict ?? "not run"
                let message = "expected \(row.expectation), found \(verdict)"
                let detail =
                    [row.result?.reason, row.result?.coverage, row.result?.command].compactMap(\.self)
                    + (row.result?.findings.map { "\($0.story)\n\($0.replay ?? "")" } ?? [])
                lines.append(
                    #"  \#(head)><failure type="\#(escaped(verdict))" message="\#(escaped(message))">"#
                        + escaped(detail.joined(separator: "\n")) + "</failure></testcase>")
            }
        }
        return (lines + ["</testsuite>", ""]).joined(separator: "\n")
    }

    /// What XML 1.0 cannot hold at all becomes a question mark.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\n": escaped += "&#10;"
            case "\t": escaped += "&#9;"
            default:
                let isLegal = scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF
                escaped.unicodeScalars.append(isLegal ? scalar : "?")
            }
        }
        return escaped
    }
}

import Bytes

/// JUnit XML for CI systems. Every expected outcome passes, even a violation.
package enum JUnitReporter: Reporter {
    package static let format = "junit"

    package static func report(_ subject: some ReportSubject) -> [UInt8] {
        let entries = subject.entries
        let failures = entries.count { $0.outcome == .unexpected }
        let skipped = entries.count { if case .skipped = $0.outcome { true } else { false } }
        let seconds = entries.compactMap(\.seconds).reduce(0, +)
        let lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            #"<testsuite name="faultline" tests="\#(entries.count)" failures="\#(failures)" "#
                + #"skipped="\#(skipped)" time="\#(seconds)">"#,
        ]
        return Array((lines + entries.map(testCase) + ["</testsuite>", ""]).joined(separator: "\n").utf8)
    }

    private static func testCase(_ entry: ReportEntry) -> String {
        let head =
            #"  <testcase classname="\#(escaped(entry.group))" name="\#(escaped(entry.name))" "#
            + #"time="\#(entry.seconds ?? 0)""#
        let account = escaped(entry.account, isText: true)
        switch entry.outcome {
        case .skipped(let reason):
            return head + #"><skipped message="\#(escaped(reason))"/></testcase>"#
        case .expected:
            return head + (account.isEmpty ? "/>" : "><system-out>\(account)</system-out></testcase>")
        case .unexpected:
            let verdict = entry.verdict?.rawValue ?? "not run"
            let message = "expected \(entry.expectation.rawValue), found \(verdict)"
            return head + #"><failure type="\#(escaped(verdict))" message="\#(escaped(message))">"#
                + account + "</failure></testcase>"
        }
    }

    /// Escapes the text for terminals, because log viewers show it, and then for XML. The first step also escapes the
    /// characters that XML 1.0 forbids.
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

import Bytes
import Machine
import Scenarios

/// A report format. To add one, add a type and a line in `ReporterList`.
package protocol Reporter: Sendable {
    /// As `--report FORMAT=FILE` names it.
    static var format: String { get }
    static func report(_ subject: some ReportSubject) throws -> [UInt8]
}

package enum ReporterList {
    package static let all: [any Reporter.Type] = [
        TextReporter.self, JSONReporter.self, JUnitReporter.self, MarkdownReporter.self, HTMLReporter.self,
    ]

    package static func named(_ format: String) -> (any Reporter.Type)? { all.first { $0.format == format } }
}

/// The terminal's text, without colours.
package enum TextReporter: Reporter {
    package static let format = "text"

    package static func report(_ subject: some ReportSubject) -> [UInt8] {
        Array(subject.text(for: .plain).printable(keeping: ["\n", "\t"], sequences: []).utf8)
    }
}

/// The object that `--json` prints.
package enum JSONReporter: Reporter {
    package static let format = "json"

    package static func report(_ subject: some ReportSubject) throws -> [UInt8] {
        try JSONText.bytes(of: subject, .object)
    }
}

import Bytes
import Machine
import Scenarios

/// The only writer to standard output, except for raw bytes such as a value or an export, which use `OutputFile`.
package enum StandardOutput {
    package static func show(_ line: ReportLine) { show([line]) }

    package static func show(_ lines: [ReportLine]) { write(lines.text) }

    /// Prints the text of a report, made of `ReportLine`s.
    package static func write(_ report: String) {
        let styles = Terminal.output.usesColour ? Style.sequences : []
        print(report.printable(keeping: ["\n", "\t"], sequences: styles), terminator: "")
    }

    /// Prints a value as JSON.
    package static func show(_ value: some Encodable, _ form: JSONText.Form) throws {
        print(try JSONText.of(value, form), terminator: "")
    }
}

import Bytes
import Machine
import Scenarios

/// The one way to standard output for people and for programs. (Bytes that are asked for as they are, such as a value or an
/// export, are an `OutputFile`.)
package enum StandardOutput {
    package static func show(_ line: ReportLine) { show([line]) }

    package static func show(_ lines: [ReportLine]) { write(lines.text) }

    /// Prints the text of a report, which was made of such lines.
    package static func write(_ report: String) {
        let styles = Terminal.output.usesColour ? Style.sequences : []
        print(report.printable(keeping: ["\n", "\t"], sequences: styles), terminator: "")
    }

    /// Prints a value as JSON.
    package static func show(_ value: some Encodable, _ form: JSONText.Form) throws {
        print(try JSONText.of(value, form), terminator: "")
    }
}

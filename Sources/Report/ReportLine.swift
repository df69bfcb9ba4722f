import Bytes

/// A line for people, without terminal control sequences other than this program's styles.
///
/// Literals are trusted and unchanged. Interpolated values are untrusted and made printable: a store's message cannot
/// end the line, colour it or hide it. An interpolated `ReportLine` is already safe and unchanged.
package struct ReportLine: Hashable, Sendable {
    package private(set) var text: String

    /// A line of untrusted text.
    package init(_ foreign: String) { text = foreign.printable }

    fileprivate init(own text: String) { self.text = text }

    /// `text` between two sequences of this program.
    init(_ text: String, between start: String, and end: String) { self.text = start + text.printable + end }

    package static func + (left: ReportLine, right: ReportLine) -> ReportLine {
        ReportLine(own: left.text + right.text)
    }
}

extension ReportLine: ExpressibleByStringInterpolation {
    package init(stringLiteral text: String) { self.text = text }

    package init(stringInterpolation parts: Parts) { text = parts.text }

    package struct Parts: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { text += literal }

        package mutating func appendInterpolation(_ line: ReportLine) { text += line.text }

        package mutating func appendInterpolation(_ foreign: some CustomStringConvertible) {
            text += foreign.description.printable
        }
    }
}

extension [ReportLine] {
    /// The lines, each with its line end; none is a command to a CI runner.
    package var text: String { map { $0.text + "\n" }.joined().withoutRunnerCommands }
}

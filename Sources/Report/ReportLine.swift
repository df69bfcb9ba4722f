import Bytes

/// A line for people, in which nothing stands that a terminal obeys but this program's own styles.
///
/// Literals are ours and stay as they are. Whatever is interpolated may be somebody else's, and is made printable: a store's
/// words become part of a message here, and cannot end its line, colour it or hide it. A line that is interpolated was made
/// in the same way, and stays as it is.
package struct ReportLine: Hashable, Sendable {
    package private(set) var text: String

    /// A line of foreign text.
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

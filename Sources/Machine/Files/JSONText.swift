import Bytes
import Foundation

/// JSON as it is written everywhere: keys in their order, and nothing in it that a terminal obeys.
package enum JSONText {
    package enum Form: Hashable, Sendable {
        /// One object on many lines, for people and programs.
        case object
        /// One object on one line: a line of JSONL.
        case line
    }

    /// The text, with a line end behind it.
    package static func of(_ value: some Encodable, _ form: Form) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if form == .object { encoder.outputFormatting.insert(.prettyPrinted) }
        return String(decoding: try encoder.encode(value), as: UTF8.self).printableJSON + "\n"
    }

    /// Why a text is not the JSON that was expected, in words.
    package static func words(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "there is no \"\(key.stringValue)\""
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\"\(place(context))\": \(context.debugDescription)"
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\"\(place(context))\": \(context.debugDescription)"
        case DecodingError.dataCorrupted: "it is no JSON"
        default: "\(error)"
        }
    }

    private static func place(_ context: DecodingError.Context) -> String {
        context.codingPath.map(\.stringValue).joined(separator: ".")
    }

    /// The same as the bytes of a file.
    package static func bytes(of value: some Encodable, _ form: Form) throws -> [UInt8] {
        Array(try of(value, form).utf8)
    }
}

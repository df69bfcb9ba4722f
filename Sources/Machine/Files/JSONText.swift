import Bytes
import Foundation

/// The common JSON format: sorted keys, and no terminal control characters.
package enum JSONText {
    package enum Form: Hashable, Sendable {
        /// One object on many lines, for people and programs.
        case object
        /// One object on one line: a line of JSONL.
        case line
    }

    /// The JSON text of `value`, with a final newline.
    package static func of(_ value: some Encodable, _ form: Form) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if form == .object { encoder.outputFormatting.insert(.prettyPrinted) }
        return String(decoding: try encoder.encode(value), as: UTF8.self).printableJSON + "\n"
    }

    /// Describes a decoding error.
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

    /// The JSON text as bytes.
    package static func bytes(of value: some Encodable, _ form: Form) throws -> [UInt8] {
        Array(try of(value, form).utf8)
    }
}

import Foundation

/// Results as JSON on standard output.
enum JSONOutput {
    /// One object, for people and programs.
    static func printObject(_ value: some Encodable) throws {
        print(try text(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]))
    }

    /// One object on one line: a line of JSONL.
    static func printLine(_ value: some Encodable) throws {
        print(try text(value, [.sortedKeys, .withoutEscapingSlashes]))
    }

    private static func text(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

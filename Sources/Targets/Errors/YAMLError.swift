import Bytes

/// What is wrong in a YAML file, and where.
package struct YAMLError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: ByteString
    /// Counts from 1; nil where the file as a whole is meant.
    package var line: Int?
    package var reason: String

    package init(file: ByteString, line: Int?, _ reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    package var description: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)" }
}

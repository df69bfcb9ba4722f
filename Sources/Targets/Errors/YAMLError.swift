import Bytes

/// An error in a YAML file, with its line.
package struct YAMLError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: ByteString
    /// Counts from 1; nil for the whole file.
    package var line: Int?
    package var reason: String

    package init(file: ByteString, line: Int?, _ reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    package var description: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)" }
}

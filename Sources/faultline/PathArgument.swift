import ArgumentParser
import Bytes

extension ByteString: ExpressibleByArgument {
    /// Parses a path argument.
    public init?(argument: String) {
        // Bytes that are not UTF-8 have become replacement characters, and would name another file.
        guard !argument.isEmpty, !argument.unicodeScalars.contains("\u{FFFD}") else { return nil }
        self.init(argument)
    }
}

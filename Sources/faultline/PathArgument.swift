import ArgumentParser
import Bytes

extension ByteString: ExpressibleByArgument {
    /// A path as it was typed.
    public init?(argument: String) {
        // What is not UTF-8 has become a replacement character by now, and would name another file.
        guard !argument.isEmpty, !argument.unicodeScalars.contains("\u{FFFD}") else { return nil }
        self.init(argument)
    }
}

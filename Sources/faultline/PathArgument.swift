import ArgumentParser
import Bytes

extension ByteString: ExpressibleByArgument {
    /// A path as it was typed.
    public init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        self.init(argument)
    }
}

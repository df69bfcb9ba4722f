import Bytes

/// A command was rejected.
struct CommandError: Error {
    var reason: String

    /// The first 80 bytes of `text`, escaped, for an error message.
    static func excerpt(_ text: String) -> String {
        let shown = text.utf8.prefix(80)
        return "\(ByteString(shown))" + (shown.count < text.utf8.count ? " …" : "")
    }
}

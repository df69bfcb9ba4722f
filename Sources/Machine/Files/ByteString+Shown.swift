import Bytes

extension ByteString {
    /// A path for people and JSON, as it can be pasted: its text where it is UTF-8, escaped where it is not.
    package var shown: String { String(validating: bytes, as: UTF8.self) ?? description }
}

import Bytes

extension ByteString {
    /// A path for people and JSON: verbatim if it is UTF-8, else escaped.
    package var shown: String { String(validating: bytes, as: UTF8.self) ?? description }
}

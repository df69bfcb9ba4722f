extension ByteString {
    /// The bytes as a C string. Bytes after a NUL are not seen by C: paths from outside are checked for NUL first.
    package func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try (bytes + [0]).withUnsafeBytes { try body($0.assumingMemoryBound(to: CChar.self).baseAddress!) }
    }

    /// The path of `name` in the directory with this path.
    package func appending(component name: ByteString) -> ByteString {
        ByteString(bytes + [UInt8(ascii: "/")] + name.bytes)
    }
}

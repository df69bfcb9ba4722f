extension ByteString {
    /// Passes the bytes as a C string. C ignores bytes after a NUL: check external paths for NUL first.
    @inlinable
    package func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            buffer[bytes.count] = 0
            return try body(UnsafePointer(buffer.baseAddress!))
        }
    }

    /// The bytes up to the terminating NUL of a C string.
    package init(cString: UnsafePointer<CChar>) {
        var count = 0
        while cString[count] != 0 { count += 1 }
        self.init(Array(UnsafeRawBufferPointer(start: cString, count: count)))
    }

    /// Appends `/` and `name`.
    package func appending(component name: ByteString) -> ByteString {
        ByteString(bytes + [UInt8(ascii: "/")] + name.bytes)
    }
}

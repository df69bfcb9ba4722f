import Bytes

/// Strings as execve(2) wants them: a null-terminated array of pointers into one run of zero-terminated bytes.
package struct CStringArray {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []

    /// None of `strings` holds a zero byte.
    package init(_ strings: [ByteString]) {
        for string in strings {
            offsets.append(bytes.count)
            bytes += string.bytes
            bytes.append(0)
        }
    }

    /// The pointers are valid while `body` runs. Nobody writes through them.
    package func withPointers<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            let start = UnsafeMutableRawPointer(mutating: buffer.baseAddress)
            let pointers = offsets.map { start?.advanced(by: $0).assumingMemoryBound(to: CChar.self) } + [nil]
            return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
        }
    }
}

import Bytes

/// Strings for execve(2): a null-terminated array of pointers to C strings.
package struct CStringArray {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []

    /// `strings` must not contain zero bytes.
    package init(_ strings: [ByteString]) {
        for string in strings {
            offsets.append(bytes.count)
            bytes += string.bytes
            bytes.append(0)
        }
    }

    /// The pointers are valid only during `body`. Do not write through them.
    package func withPointers<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            let start = UnsafeMutableRawPointer(mutating: buffer.baseAddress)
            let pointers = offsets.map { start?.advanced(by: $0).assumingMemoryBound(to: CChar.self) } + [nil]
            return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
        }
    }
}

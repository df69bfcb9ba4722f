import Bytes
import Glibc

extension ByteString {
    /// The bytes up to the terminating NUL of a C string.
    init(cString: UnsafePointer<CChar>) {
        let count = strlen(cString)
        self.init(UnsafeRawBufferPointer(start: cString, count: count))
    }

    /// Calls `body` with the bytes and a terminating NUL.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { buffer in
            for index in 0..<count { buffer[index] = CChar(bitPattern: bytes[index]) }
            buffer[count] = 0
            return body(UnsafePointer(buffer.baseAddress!))
        }
    }
}

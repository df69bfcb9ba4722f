import Bytes
import Glibc

extension ByteString {
    /// This path from the root: a target may run in another directory than we do. Nothing in it is resolved, but `./` at
    /// its beginning says nothing.
    package func absolutePath() throws(TargetError) -> ByteString {
        if bytes.first == UInt8(ascii: "/") { return self }
        guard let working = getcwd(nil, 0) else { throw .system("getcwd") }
        defer { free(working) }
        var rest = bytes[...]
        while rest.starts(with: "./".utf8) { rest = rest.dropFirst(2) }
        return ByteString(ByteString(cString: working).bytes + [UInt8(ascii: "/")] + rest)
    }
}

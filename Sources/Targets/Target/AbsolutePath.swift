import Bytes
import Glibc

extension ByteString {
    /// The absolute path, since a target may run in another working directory. Removes a leading `./`; resolves nothing
    /// else.
    package func absolutePath() throws(TargetError) -> ByteString {
        if bytes.first == UInt8(ascii: "/") { return self }
        guard let working = getcwd(nil, 0) else { throw .system("getcwd") }
        defer { free(working) }
        var rest = bytes[...]
        while rest.starts(with: "./".utf8) { rest = rest.dropFirst(2) }
        return ByteString(ByteString(cString: working).bytes + [UInt8(ascii: "/")] + rest)
    }
}

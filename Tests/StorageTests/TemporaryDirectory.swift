import Bytes
import Glibc

/// A temporary directory, removed with the value.
final class TemporaryDirectory: Sendable {
    let path: ByteString

    init() throws {
        var template = Array("/tmp/faultline-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(errno: errno) }
        path = ByteString(template.dropLast().map(UInt8.init(bitPattern:)))
    }

    struct Failure: Error { let errno: Int32 }

    var text: String { String(decoding: path.bytes, as: UTF8.self) }

    deinit { Self.remove(text) }

    private static func remove(_ path: String) {
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                let start = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
                let name = String(cString: start.assumingMemoryBound(to: CChar.self))
                if name != "." && name != ".." { remove("\(path)/\(name)") }
            }
            closedir(stream)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

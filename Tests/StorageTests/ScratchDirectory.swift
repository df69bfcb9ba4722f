import Bytes
import Foundation

/// A temporary directory, removed with the value.
final class ScratchDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/faultline-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure.errno(errno) }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> ByteString { ByteString(path + "/" + name) }

    enum Failure: Error { case errno(CInt) }
}

import Bytes
import Foundation

/// A directory of one test, removed with it.
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

import Bytes
import Foundation

/// A directory of one test, removed with it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "faultline-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.resolvingSymlinksInPath().path()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var bytes: ByteString { ByteString(path) }
}

extension ByteString {
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var exists: Bool { (try? FileManager.default.attributesOfItem(atPath: text)) != nil }
    var permissions: Int? {
        (try? FileManager.default.attributesOfItem(atPath: text))?[.posixPermissions] as? Int
    }
}

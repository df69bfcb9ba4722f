import Bytes
import Foundation

/// What this machine offers to tests.
enum TestMachine {
    static let hasFUSE = FileManager.default.isReadableFile(atPath: "/dev/fuse")

    /// The program that drives the built-in targets, from the same build as the tests.
    static var driver: ByteString {
        let products = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        var folder =
            Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
            .deletingLastPathComponent() ?? products
        if !FileManager.default.fileExists(atPath: folder.appending(path: "faultline-target").path) {
            folder = products
        }
        return ByteString(folder.appending(path: "faultline-target").path)
    }
}

/// A directory of its own for one test, removed with it.
final class Scratch {
    let url: URL

    init() {
        url = FileManager.default.temporaryDirectory.appending(path: "faultline-test-\(UUID().uuidString)")
        try! FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func make(_ name: String) throws -> ByteString {
        let directory = url.appending(path: name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        return ByteString(directory.path)
    }
}

import Block
import Bytes
import Foundation
import Glibc

/// What these tests need: root and a loop device. Where they are missing the suites are skipped, and it is said once.
enum BlockMachine {
    static let isAble: Bool = {
        if geteuid() == 0, open("/dev/loop-control", O_RDWR | O_CLOEXEC) >= 0 { return true }
        print("SKIPPED: tests of block devices need root and loop devices")
        return false
    }()

    /// Filesystems that this kernel has, and whose tools are installed.
    static let filesystems = BlockFilesystem.allCases.filter { filesystem in
        guard !isAble || filesystem.isInKernel else {
            print("SKIPPED: \(filesystem.rawValue): \(BlockError.unknownFilesystem(filesystem.type))")
            return false
        }
        let isThere = FilesystemTool.find(filesystem.makeWords(sectorBytes: 4096)[0]) != nil
        if !isThere { print("SKIPPED: \(filesystem.rawValue): `sudo apt-get install \(filesystem.package)`") }
        return isThere
    }
}

/// A directory in memory for one test, removed with it.
final class BlockScratch {
    let path: ByteString

    init() throws {
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        let place = "\(parent)/faultline-block-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        path = ByteString(place)
    }

    deinit { try? FileManager.default.removeItem(atPath: "\(path)") }

    func file(_ name: String) -> ByteString { path.appending(component: ByteString(name)) }

    func makeDirectory(_ name: String) throws -> ByteString {
        try FileManager.default.createDirectory(atPath: "\(file(name))", withIntermediateDirectories: false)
        return file(name)
    }

    /// A file of so many zeros.
    func makeFile(_ name: String, sizeBytes: Int) throws -> ByteString {
        try Data(count: sizeBytes).write(to: URL(filePath: "\(file(name))"))
        return file(name)
    }
}

import Foundation
import Glibc
import Testing

@testable import Block

/// Ext4 keeps changed metadata in the device's cache until the kernel writes it back.
@Suite(.enabled(if: BlockMachine.isAble), .serialized) struct PeriodicWritebackTests {
    private static let name = "a-name-that-is-nowhere-else"

    /// How often the name is on the device: in the journal, and in the directory itself.
    private static func count(in file: String) throws -> Int {
        let bytes = try Data(contentsOf: URL(filePath: file))
        var (count, place) = (0, bytes.startIndex)
        while let found = bytes[place...].range(of: Data(name.utf8)) {
            (count, place) = (count + 1, found.upperBound)
        }
        return count
    }

    @Test(arguments: [false, true]) func `a synced name reaches its directory soon, if it is asked for`(
        _ isAsked: Bool
    ) throws {
        let scratch = try BlockScratch()
        let (file, mountPoint) = (scratch.file("disk"), try scratch.makeDirectory("mount"))
        try FreshFilesystem.make(.ext4, at: file, in: scratch.path, mountPoint: mountPoint)
        let device = try LoopDevice(file, in: scratch.path, isDirect: false)
        let mount = try BlockMount(device, .ext4, at: mountPoint)
        let writeback = isAsked ? PeriodicWriteback(of: device.path) : nil
        let descriptor = open("\(mountPoint)/\(Self.name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        #expect(fsync(descriptor) == 0)
        close(descriptor)
        var count = 0
        for _ in 0..<(isAsked ? 200 : 10) where count < 2 {
            usleep(50_000)
            count = try Self.count(in: "\(file)")
        }
        writeback?.stop()
        #expect(count == (isAsked ? 2 : 1))
        try mount.end()
        device.release()
        #expect(device.waitUntilFree())
    }
}

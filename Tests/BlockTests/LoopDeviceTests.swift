import Bytes
import Foundation
import Glibc
import Testing

@testable import Block

/// A device of ours is ours: nothing else is put behind one, written, or mounted.
@Suite(.enabled(if: BlockMachine.isAble)) struct LoopDeviceTests {
    private let scratch: BlockScratch

    init() throws { scratch = try BlockScratch() }

    @Test func `the file behind it is the one that was given, and the kernel lets go of it`() throws {
        let file = try scratch.makeFile("disk", sizeBytes: 1 << 20)
        let device = try LoopDevice(file, in: scratch.path, isDirect: false)
        #expect(LoopDevice.backingFile(of: device.path) == file)
        device.release()
        #expect(device.waitUntilFree())
    }

    @Test func `two that are wanted at once are two`() throws {
        let files = try ["one", "two"].map { try scratch.makeFile($0, sizeBytes: 1 << 20) }
        let devices = try files.map { try LoopDevice($0, in: scratch.path, isDirect: false) }
        #expect(devices[0].path != devices[1].path)
        #expect(devices.map { LoopDevice.backingFile(of: $0.path) } == files)
    }

    @Test func `a file outside of the directory is refused, also by way of a link`() throws {
        let inside = try scratch.makeDirectory("inside")
        let decoy = try scratch.makeFile("decoy", sizeBytes: 1 << 20)
        #expect(throws: BlockError.notARegularFile(decoy)) { try LoopDevice(decoy, in: inside, isDirect: false) }
        let link = inside.appending(component: "link")
        try FileManager.default.createSymbolicLink(atPath: "\(link)", withDestinationPath: "\(decoy)")
        #expect(throws: BlockError.notARegularFile(link)) { try LoopDevice(link, in: inside, isDirect: false) }
    }

    @Test func `a device is refused whose file is another one`() throws {
        let file = try scratch.makeFile("disk", sizeBytes: 1 << 20)
        let decoy = try LoopDevice(
            try scratch.makeFile("decoy", sizeBytes: 1 << 20), in: scratch.path, isDirect: false)
        #expect(throws: BlockError.notOurs(device: decoy.path, expected: file, found: decoy.file)) {
            try LoopDevice.require(decoy.path, toHold: file)
        }
        decoy.release()
        #expect(decoy.waitUntilFree())
        #expect(throws: BlockError.self) { try decoy.requireOurs() }
        #expect(throws: BlockError.self) { try BlockMount(decoy, .ext4, at: try scratch.makeDirectory("mount")) }
    }

    @Test func `nothing but a regular file of ours gets a filesystem`() throws {
        let inside = try scratch.makeDirectory("inside")
        let decoy = try scratch.makeFile("decoy", sizeBytes: 1 << 20)
        let link = inside.appending(component: "link")
        try FileManager.default.createSymbolicLink(atPath: "\(link)", withDestinationPath: "\(decoy)")
        let node = inside.appending(component: "node")
        // A decoy of a device: the number of loop 255, which nobody has.
        #expect(mknod("\(node)", S_IFBLK | 0o600, 7 << 8 | 255) == 0 || errno == EPERM)
        for path in [decoy, link, node] {
            #expect(throws: (any Error).self, "\(path)") {
                try FreshFilesystem.make(
                    .ext4, at: path, in: inside, mountPoint: try scratch.makeDirectory("mount-\(path.count)"))
            }
        }
        #expect(try Data(contentsOf: URL(filePath: "\(decoy)")) == Data(count: 1 << 20))
        for path in [link, decoy, node] where access("\(path)", F_OK) == 0 {
            #expect(throws: BlockError.notARegularFile(path)) { try FreshFilesystem.requireOurs(path, in: inside) }
        }
    }

    @Test func `a tool that is missing is named with its package`() throws {
        #expect(throws: BlockError.toolMissing("mkfs.nothing", package: "nothing-progs")) {
            try FilesystemTool.run(["mkfs.nothing", "-q"], ["disk"], package: "nothing-progs")
        }
        #expect("\(BlockError.toolMissing("mkfs.xfs", package: "xfsprogs"))".contains("apt-get install xfsprogs"))
    }
}

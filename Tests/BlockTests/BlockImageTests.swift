import Bytes
import Foundation
import Glibc
import Model
import Testing

@testable import Block

/// Images of real filesystems, one after the other on one device.
@Suite(.enabled(if: BlockMachine.isAble), .serialized) struct BlockImageTests {
    private let scratch: BlockScratch

    init() throws { scratch = try BlockScratch() }

    /// The content of a disk file: each page that is not zeros as a run of its own, in an arena.
    private static func content(of file: ByteString, _ arena: PayloadArena) throws -> ExtentMap {
        let descriptor = open("\(file)", O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var map = ExtentMap()
        var page = [UInt8](repeating: 0, count: 4096)
        let zeros = page
        let (seekData, seekHole): (Int32, Int32) = (3, 4)
        var end: off_t = 0
        while true {
            var place = lseek(descriptor, end, seekData)
            if place < 0 { return map }
            end = lseek(descriptor, place, seekHole)
            while place < end {
                #expect(pread(descriptor, &page, 4096, place) == 4096)
                if page != zeros { map.write(arena.store(page), at: UInt64(place)) }
                place += 4096
            }
        }
    }

    /// A fresh filesystem in which the store's directory holds a file with this text.
    private func content(
        _ filesystem: BlockFilesystem, holding text: String, _ arena: PayloadArena
    ) throws -> ExtentMap {
        let (file, mountPoint) = (scratch.file("base-\(text)"), try scratch.makeDirectory("mount-\(text)"))
        try FreshFilesystem.make(filesystem, at: file, in: scratch.path, mountPoint: mountPoint)
        let device = try LoopDevice(file, in: scratch.path, isDirect: false)
        let mount = try BlockMount(device, filesystem, at: mountPoint)
        try Data(text.utf8).write(to: URL(filePath: "\(mountPoint)/store/file"))
        try mount.end()
        device.release()
        #expect(device.waitUntilFree())
        return try Self.content(of: file, arena)
    }

    @Test(arguments: BlockMachine.filesystems)
    func `an image is what was loaded, whatever the one before it became`(filesystem: BlockFilesystem) throws {
        let arena = PayloadArena()
        let wanted = try ["one", "two"].map { ($0, try content(filesystem, holding: $0, arena)) }
        let image = try BlockImage(filesystem, in: scratch.file("image"))
        for round in 0..<4 {
            let (text, content) = wanted[round % 2]
            try image.load(content, arena)
            #expect(try Self.content(of: image.file, arena).sameBytes(as: content, arena), "round \(round)")
            let mount = try image.mount()
            let store = "\(image.mountPoint)/store"
            #expect(try String(contentsOfFile: store + "/file", encoding: .utf8) == text, "round \(round)")
            // The mount is not only looked at.
            try Data(count: 300_000).write(to: URL(filePath: store + "/large"))
            try FileManager.default.removeItem(atPath: store + "/file")
            try mount.end()
            #expect(image.isFree)
            #expect(try image.complaint() == nil)
        }
    }

    @Test func `what a mount discards is put back`() throws {
        let arena = PayloadArena()
        let content = try content(.ext4, holding: "one", arena)
        let image = try BlockImage(.ext4, in: scratch.file("image"))
        try image.load(content, arena)
        let mount = try image.mount()
        try FileManager.default.removeItem(atPath: "\(image.mountPoint)/store/file")
        try FilesystemTool.run(["sync", "-f"], [image.mountPoint], package: "coreutils")
        try FilesystemTool.run(["fstrim"], [image.mountPoint], package: "util-linux")
        try mount.end()
        try image.load(content, arena)
        #expect(try Self.content(of: image.file, arena).sameBytes(as: content, arena))
    }

    @Test func `a damaged superblock is the filesystem's own fault, in the words of its checker`() throws {
        let arena = PayloadArena()
        var content = try content(.ext4, holding: "one", arena)
        content.write(arena.store([UInt8](repeating: 7, count: 4096)), at: 0)
        let image = try BlockImage(.ext4, in: scratch.file("image"))
        try image.load(content, arena)
        #expect(throws: MountFailure.self) { _ = try image.mount() }
        let complaint = try #require(try image.complaint())
        #expect(complaint.hasPrefix("e2fsck -f -n exited with") && complaint.contains("superblock"), "\(complaint)")
        #expect(!complaint.contains("\(image.file)"))
    }
}

extension ExtentMap {
    fileprivate func sameBytes(as other: ExtentMap, _ store: PayloadArena) throws -> Bool {
        func pages(_ map: ExtentMap) throws -> [UInt64: [UInt8]] {
            var pages: [UInt64: [UInt8]] = [:]
            for extent in map.extents {
                for at in stride(from: 0, to: extent.data.countBytes, by: 4096) {
                    pages[extent.offsetBytes + at] = try store.bytes(
                        of: extent.data.slice(at, count: min(4096, extent.data.countBytes - at)))
                }
            }
            return pages
        }
        return try pages(self) == pages(other)
    }
}

import Foundation
import Testing

@testable import Guest

/// The kernel's first filesystem, as it is packed.
struct CpioArchiveTests {
    /// Reads the fields of an archive again, as Documentation/driver-api/early-userspace/buffer-format.rst has them.
    private func entries(of bytes: [UInt8]) throws -> [(name: String, mode: UInt32, content: [UInt8])] {
        var entries: [(String, UInt32, [UInt8])] = []
        var place = 0
        func field(_ number: Int) throws -> Int {
            let start = place + 6 + 8 * number
            return try #require(Int(String(decoding: bytes[start..<start + 8], as: UTF8.self), radix: 16))
        }
        func padded(_ count: Int) -> Int { (count + 3) / 4 * 4 }
        while place < bytes.count {
            #expect(String(decoding: bytes[place..<place + 6], as: UTF8.self) == "070701")
            let (mode, size, nameSize) = (try field(1), try field(6), try field(11))
            let nameStart = place + 110
            let name = String(decoding: bytes[nameStart..<nameStart + nameSize - 1], as: UTF8.self)
            #expect(bytes[nameStart + nameSize - 1] == 0)
            let start = padded(nameStart + nameSize)
            entries.append((name, UInt32(mode), Array(bytes[start..<start + size])))
            place = padded(start + size)
        }
        return entries
    }

    @Test func `every kind of entry can be read again, and the archive ends as the kernel wants it`() throws {
        var archive = CpioArchive()
        archive.add(directory: "dev")
        archive.add(characterDevice: "dev/console", major: 5, minor: 1)
        archive.add(file: "init", Array("#!/bin/sh\n".utf8), isExecutable: true)
        archive.add(file: "odd", [1, 2, 3, 4, 5])
        archive.add(link: "bin/sh", to: "busybox")
        let entries = try entries(of: archive.ended())
        #expect(entries.map(\.name) == ["dev", "dev/console", "init", "odd", "bin/sh", "TRAILER!!!"])
        #expect(entries.map(\.mode) == [0o040755, 0o020600, 0o100755, 0o100644, 0o120777, 0])
        #expect(entries[2].content == Array("#!/bin/sh\n".utf8))
        #expect(entries[3].content == [1, 2, 3, 4, 5])
        #expect(entries[4].content == Array("busybox".utf8))
    }

    @Test func `cpio(1) lists what was packed`() throws {
        let busybox = "/bin/busybox"
        guard FileManager.default.isExecutableFile(atPath: busybox) else {
            return print("SKIPPED: no busybox to read an archive with: `scripts/setup --guest`")
        }
        var archive = CpioArchive()
        archive.add(directory: "modules")
        archive.add(file: "modules/ext4.ko", [UInt8](repeating: 7, count: 1001))
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: busybox)
        process.arguments = ["cpio", "-t"]
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, FileHandle.nullDevice)
        try process.run()
        input.fileHandleForWriting.write(Data(archive.ended()))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(text == "modules\nmodules/ext4.ko\n")
    }
}

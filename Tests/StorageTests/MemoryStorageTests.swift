import Bytes
import Storage
import Testing

/// Reused memory never shows the bytes of an earlier file.
@Suite struct MemoryStorageTests {
    /// A size for each way in which memory is reused without zeroing.
    @Test(arguments: [48 << 10, 5 << 20] as [UInt64]) func `a file does not show bytes of an earlier file`(
        _ sizeBytes: UInt64
    ) throws {
        let storage = MemoryStorage()
        let marks = [UInt8](repeating: 0xA5, count: Int(sizeBytes))
        for round in 0..<4 {
            let old = try storage.create("old")
            try old.write(marks, at: 0)
            try storage.unlink("old")
            _ = consume old
            let name = ByteString("new\(round)")
            let file = try storage.create(name)
            try file.preallocate(at: 0, countBytes: sizeBytes)
            var expected = [UInt8](repeating: 0, count: Int(sizeBytes))
            #expect(try file.contents().isSame(as: expected))
            try file.write([1, 2, 3], at: sizeBytes / 2)
            expected.replaceSubrange(Int(sizeBytes / 2)..<Int(sizeBytes / 2) + 3, with: [1, 2, 3])
            #expect(try file.contents().isSame(as: expected))
            // Truncated bytes do not come back, neither before nor after the next write.
            try file.write(marks, at: 0)
            try file.truncate(to: 10)
            try file.preallocate(at: 0, countBytes: sizeBytes)
            try file.write([9], at: sizeBytes - 100)
            expected = [UInt8](repeating: 0xA5, count: 10) + [UInt8](repeating: 0, count: Int(sizeBytes) - 10)
            expected[Int(sizeBytes) - 100] = 9
            #expect(try file.contents().isSame(as: expected))
            try storage.unlink(name)
        }
    }
}

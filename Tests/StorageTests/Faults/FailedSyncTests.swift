import Bytes
import Glibc
import Model
import Testing

@testable import Storage

/// Content and errors after a failed sync, by filesystem (Rebello et al., ATC 2020).
@Suite struct FailedSyncTests {
    static let page = 4096

    @Test(arguments: ["", " xfs"]) func `cached bytes stay new until their pages are dropped`(_ filesystem: String)
        throws
    {
        let run = try FaultyRun("fsync nth=2 -> EIO lose\(filesystem)", a: pattern(1, 3 * Self.page))
        let file = try run.open()
        try file.write(pattern(2, 10), at: 0)
        try file.sync()
        try file.write(pattern(3, 2 * Self.page), at: 5)
        #expect(throws: StorageError.self) { try file.sync() }
        #expect(try file.contents() == pattern(2, 5) + pattern(3, 2 * Self.page) + pattern(1, Self.page - 5))
        try file.sync()
        try run.storage.dropCleanPages()
        let lost = pattern(2, 10) + pattern(1, 3 * Self.page - 10)
        #expect(try file.contents() == lost, "the sync that succeeded saved nothing")
    }

    @Test func `writing into a page again saves the whole page`() throws {
        let run = try FaultyRun("fsync nth=1 -> EIO lose", a: pattern(1, 3 * Self.page))
        let file = try run.open()
        try file.write(pattern(2, 3 * Self.page), at: 0)
        #expect(throws: StorageError.self) { try file.sync() }
        try file.write([9], at: UInt64(Self.page) + 7)
        try file.sync()
        try run.storage.dropCleanPages()
        let saved = pattern(2, 7) + [9] + pattern(2, Self.page - 8)
        #expect(try file.contents() == pattern(1, Self.page) + saved + pattern(1, Self.page))
    }

    @Test func `a page that is written and lost again has the old bytes`() throws {
        let run = try FaultyRun("fsync -> EIO lose", a: pattern(1, Self.page))
        let file = try run.open()
        for byte in [2, 3] as [UInt8] {
            try file.write(pattern(byte, 8), at: 0)
            #expect(throws: StorageError.self) { try file.sync() }
        }
        try run.storage.dropCleanPages()
        #expect(try file.contents() == pattern(1, Self.page))
    }

    @Test func `lost new bytes read as zeros`() throws {
        let run = try FaultyRun("fsync nth=1 -> EIO lose", a: [1])
        let file = try run.open()
        try file.write([2, 2, 2], at: 1)
        #expect(throws: StorageError.self) { try file.sync() }
        try run.storage.dropCleanPages()
        #expect(try file.contents() == [1, 0, 0, 0])
    }

    @Test func `on btrfs content and size revert at once`() throws {
        let run = try FaultyRun("fsync nth=2 -> EIO lose btrfs", a: [1, 1, 1])
        let file = try run.open()
        try file.write([2], at: 0)
        try file.sync()
        try file.write([3, 3, 3, 3], at: 1)
        try file.write([4], at: 0)
        #expect(throws: StorageError.self) { try file.sync() }
        #expect(try file.contents() == [2, 1, 1])
        try file.sync()
        #expect(try file.contents() == [2, 1, 1])
    }

    @Test func `each open file reports the error once`() throws {
        let run = try FaultyRun("fsync nth=1 -> EIO lose")
        let (first, second) = (try run.open(), try run.open())
        func errno(_ file: any StorageFile) -> Int32? {
            do {
                try file.sync()
                return nil
            } catch {
                return error.errno
            }
        }
        try first.write([1], at: 0)
        #expect([errno(first), errno(second), errno(first), errno(second)] == [EIO, EIO, nil, nil])
        #expect(errno(try run.open()) == nil, "a file opened later knows nothing of it")
    }

    @Test func `ext4-journal reports at the next sync`() throws {
        let run = try FaultyRun("fsync nth=1 -> EIO lose ext4-journal", a: [1])
        let file = try run.open()
        try file.write([2], at: 0)
        try file.sync()
        #expect(
            throws: StorageError.injected(.sync, name: "a", errno: EIO, rule: "fsync nth=1 -> EIO lose ext4-journal")
        ) {
            try file.sync()
        }
        try file.sync()
        try run.storage.dropCleanPages()
        #expect(try file.contents() == [1])
    }

    @Test func `a plain error loses nothing and the next sync saves`() throws {
        let run = try FaultyRun("fsync nth=1 -> EIO", "fsync nth=3 -> EIO lose", a: [1])
        let file = try run.open()
        try file.write([2], at: 0)
        #expect(throws: StorageError.self) { try file.sync() }
        try file.sync()
        #expect(throws: StorageError.self) { try file.sync() }
        try run.storage.dropCleanPages()
        #expect(try file.contents() == [2])
    }

    /// The cache's memory is in proportion to the file size, not to the bytes written.
    @Test(arguments: ["read path=other -> stale", "fsync nth=9999 -> EIO lose"])
    func `memory does not grow with what is overwritten`(rule: String) throws {
        let run = try FaultyRun(rule, a: pattern(1, 1 << 18))
        let file = try run.open()
        for round in 0..<400 { try file.write(pattern(UInt8(round % 250), 1 << 16), at: UInt64(round % 4) << 16) }
        let kept = run.storage.state.withLock { $0.nodes["a"]!.content.withLock { $0.keptBytes } }
        #expect(kept > 0 && kept <= 3 << 20, "\(kept)")
        try file.sync()
        let isStale = rule.hasSuffix("stale")
        #expect(run.storage.state.withLock { $0.nodes["a"]!.content.withLock { $0.keptBytes == 0 } } == !isStale)
    }
}

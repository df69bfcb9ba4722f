import Bytes
import Glibc
import Model
import Storage
import Testing

/// The storages that must fulfil the contract of `Storage`, each new and empty.
enum Kind: String, CaseIterable, CustomTestStringConvertible {
    case memory, posix, recording, faulty
    var testDescription: String { rawValue }

    /// Runs `body` with an empty storage of this kind.
    func fresh<Result>(_ body: (any Storage) throws -> Result) throws -> Result {
        switch self {
        case .memory: return try body(MemoryStorage())
        case .faulty: return try body(FaultyStorage(MemoryStorage(), RuleSet(seed: 1)))
        case .recording: return try body(RecordingStorage(MemoryStorage()))
        case .posix:
            let directory = try TemporaryDirectory()
            defer { withExtendedLifetime(directory) {} }
            return try body(PosixStorage(directory: directory.path))
        }
    }
}

private func errnoThrown(_ body: () throws -> Void) -> Int32? {
    do {
        try body()
        return nil
    } catch let error as StorageError {
        return error.errno
    } catch {
        return -1
    }
}

@Suite struct StorageContractTests {
    @Test(arguments: Kind.allCases) func `written bytes are read`(_ kind: Kind) throws {
        try kind.fresh { storage in
            let file = try storage.create("a")
            try file.write([1, 2, 3, 4], at: 0)
            try file.write([9, 9], at: 1)
            #expect(try file.contents() == [1, 9, 9, 4])
            #expect(try file.length() == 4)
            try file.sync()
            try storage.syncDirectory()
            #expect(try storage.open("a").contents() == [1, 9, 9, 4])
            #expect(try storage.openForReading("a").contents() == [1, 9, 9, 4])
        }
    }

    @Test(arguments: Kind.allCases) func `a read is short only at the end of the file`(_ kind: Kind) throws {
        try kind.fresh { storage in
            let file = try storage.create("a")
            try file.write(Array(0..<10), at: 0)
            #expect(try file.read(countBytes: 4, at: 3) == [3, 4, 5, 6])
            #expect(try file.read(countBytes: 100, at: 8) == [8, 9])
            #expect(try file.read(countBytes: 4, at: 10) == [])
            #expect(try file.read(countBytes: 4, at: .max) == [])
        }
    }

    @Test(arguments: Kind.allCases) func `a gap reads as zeros`(_ kind: Kind) throws {
        try kind.fresh { storage in
            let file = try storage.create("a")
            try file.write([7], at: 5)
            #expect(try file.contents() == [0, 0, 0, 0, 0, 7])
        }
    }

    @Test(arguments: Kind.allCases) func `truncated bytes come back as zeros`(_ kind: Kind) throws {
        try kind.fresh { storage in
            let file = try storage.create("a")
            try file.write([1, 2, 3, 4], at: 0)
            try file.truncate(to: 2)
            #expect(try file.contents() == [1, 2])
            try file.truncate(to: 4)
            #expect(try file.contents() == [1, 2, 0, 0])
        }
    }

    @Test(arguments: Kind.allCases) func `preallocating extends with zeros and keeps existing bytes`(_ kind: Kind)
        throws
    {
        try kind.fresh { storage in
            let file = try storage.create("a")
            try file.write([1, 2, 3], at: 0)
            try file.preallocate(at: 1, countBytes: 4)
            #expect(try file.contents() == [1, 2, 3, 0, 0])
            try file.preallocate(at: 0, countBytes: 2)
            #expect(try file.length() == 5)
        }
    }

    @Test(arguments: Kind.allCases) func `names are created, renamed and removed`(_ kind: Kind) throws {
        try kind.fresh { storage in
            #expect(try storage.list() == [])
            try storage.create("a").write([1], at: 0)
            try storage.create("b").write([2], at: 0)
            #expect(try storage.list().sorted() == ["a", "b"])
            let replaced = try storage.open("b")
            try storage.rename("a", to: "b")
            #expect(try storage.list() == ["b"])
            #expect(try storage.open("b").contents() == [1])
            #expect(try replaced.contents() == [2], "a file outlives its name")
            try storage.rename("b", to: "b")
            try storage.unlink("b")
            #expect(try storage.list() == [])
        }
    }

    @Test(arguments: Kind.allCases) func `a missing or existing name is an error`(_ kind: Kind) throws {
        try kind.fresh { storage in
            #expect(errnoThrown { _ = try storage.open("a") } == ENOENT)
            #expect(errnoThrown { _ = try storage.openForReading("a") } == ENOENT)
            #expect(errnoThrown { try storage.unlink("a") } == ENOENT)
            #expect(errnoThrown { try storage.rename("a", to: "b") } == ENOENT)
            let file = try storage.create("a")
            #expect(errnoThrown { _ = try storage.create("a") } == EEXIST)
            #expect(errnoThrown { try file.write([1], at: .max) } == EFBIG)
            #expect(errnoThrown { try file.truncate(to: .max) } == EFBIG)
            #expect(errnoThrown { try file.preallocate(at: .max, countBytes: 2) } == EFBIG)
        }
    }

    static let notNames: [ByteString] = [
        "", ".", "..", "a/b", "/", ByteString([0x61, 0]), ByteString([UInt8](repeating: 0x61, count: 256)),
    ]

    @Test(arguments: Kind.allCases, notNames)
    func `an invalid name is an error in every call`(_ kind: Kind, _ name: ByteString) throws {
        try kind.fresh { storage in
            #expect(throws: StorageError.invalidName(name)) { _ = try storage.open(name) }
            #expect(throws: StorageError.invalidName(name)) { _ = try storage.openForReading(name) }
            #expect(throws: StorageError.invalidName(name)) { _ = try storage.create(name) }
            #expect(throws: StorageError.invalidName(name)) { try storage.unlink(name) }
            #expect(throws: StorageError.invalidName(name)) { try storage.rename(name, to: "a") }
            _ = try storage.create("a")
            #expect(throws: StorageError.invalidName(name)) { try storage.rename("a", to: name) }
        }
    }

    @Test(arguments: Kind.allCases) func `names are bytes, not text`(_ kind: Kind) throws {
        let composed = ByteString("caf\u{E9}")
        let decomposed = ByteString("cafe\u{301}")
        let invalid = ByteString([0xFF, 0xFE, 0x0A])
        try kind.fresh { storage in
            for name in [composed, decomposed, invalid] { _ = try storage.create(name) }
            #expect(try storage.list().sorted() == [composed, decomposed, invalid].sorted())
        }
    }

    @Test(arguments: Kind.allCases) func `a second owner gets the lock only after the first releases it`(_ kind: Kind)
        throws
    {
        try kind.fresh { storage in
            let first = try storage.lockDirectory()
            #expect(errnoThrown { _ = try storage.lockDirectory() } == EWOULDBLOCK)
            first.release()
            let second = try storage.lockDirectory()
            first.release()
            #expect(errnoThrown { _ = try storage.lockDirectory() } == EWOULDBLOCK, "a lock is given back once")
            withExtendedLifetime(second) {}
        }
    }

    @Test(arguments: Kind.allCases) func `a lock ends with its last reference`(_ kind: Kind) throws {
        try kind.fresh { storage in
            do { withExtendedLifetime(try storage.lockDirectory()) {} }
            _ = try storage.lockDirectory()
        }
    }
}

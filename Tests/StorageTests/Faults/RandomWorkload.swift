import Bytes
import Model
import Storage

/// A random workload: the same seed gives the same operations, whatever their results.
struct RandomWorkload {
    private var random: RandomStream
    private var files: [(name: ByteString, file: any StorageFile)] = []
    private let storage: any Storage
    /// The result of each call: the bytes read, or the error.
    private(set) var results: [String] = []

    init(_ storage: any Storage, seed: UInt64) {
        self.storage = storage
        random = RandomStream(seed: seed).stream("workload")
    }

    private mutating func below(_ bound: Int) -> Int { Int(random.next(upperBound: UInt64(bound))) }

    /// Runs one operation; calls `synced` after each barrier that returned.
    mutating func step(synced: (ByteString?) throws -> Void = { _ in }) throws {
        let names: [ByteString] = ["a", "b", "c", "d"]
        let (name, other) = (names[below(4)], names[below(4)])
        let (choice, place) = (below(16), below(max(1, files.count)))
        let (offset, count) = (UInt64(below(12_000)), below(6000))
        let byte = UInt8(1 + below(255))
        do {
            switch choice {
            case 0, 1: files.append((name, try storage.create(name)))
            case 2: files.append((name, try storage.open(name)))
            case 3: try storage.rename(name, to: other)
            case 4: try storage.unlink(name)
            case 5:
                try storage.syncDirectory()
                try synced(nil)
            default: try file(choice, place, offset, count, byte, synced)
            }
            results.append("done")
        } catch let error as StorageError {
            results.append("\(error)")
        }
    }

    private mutating func file(
        _ choice: Int, _ place: Int, _ offset: UInt64, _ count: Int, _ byte: UInt8,
        _ synced: (ByteString?) throws -> Void
    ) throws {
        guard place < files.count else { return }
        let (name, file) = files[place]
        switch choice {
        case 6...10: try file.write([UInt8](repeating: byte, count: count), at: offset)
        case 11: try file.truncate(to: offset)
        case 12: try file.preallocate(at: offset, countBytes: UInt64(count))
        case 13: results.append("\(CRC32C.checksum(try file.read(countBytes: count, at: offset)))")
        default:
            try file.sync()
            try synced(name)
        }
    }
}

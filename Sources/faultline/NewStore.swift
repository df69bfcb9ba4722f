import Bytes
import Engine
import Storage

/// A store that a command begins: when what it was begun for fails, no empty store is left behind, and no directory.
enum NewStore {
    /// Runs `body`, which begins a store in `directory` if there is none.
    static func with(_ directory: ByteString, _ body: () throws -> Void) throws {
        let directories = try NewDirectories(making: directory)
        let isNew = try LogCheck.shards(in: PosixStorage(directory: directory)).isEmpty
        do { try body() } catch {
            // The failure of the command is what the user has to hear of.
            if isNew { try? removeEmpty(directory) }
            directories.removeEmpty()
            throw error
        }
    }

    /// Removes the segments of a store that holds no record. The lock keeps out whoever would put one there meanwhile.
    private static func removeEmpty(_ directory: ByteString) throws {
        let storage = try PosixStorage(directory: directory)
        let lock = try storage.lockDirectory()
        defer { lock.release() }
        for shard in try LogCheck.shards(in: storage) {
            let check = try LogCheck(storage: storage, shard: shard)
            guard check.report.recordsReplayed == 0, check.damage == nil, check.report.ending.recordsBehind == 0 else {
                return
            }
        }
        for name in try storage.list() where LogCheck.isSegment(name) { try storage.unlink(name) }
    }
}

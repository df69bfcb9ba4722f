import Bytes
import Engine
import Storage

/// Creates a store for a command. If the command fails, no empty store or directory is left.
enum NewStore {
    /// Runs `body`, which creates a store in `directory` if there is none.
    static func with(_ directory: ByteString, _ body: () throws -> Void) throws {
        let directories = try NewDirectories(making: directory)
        let isNew = try LogCheck.shards(in: PosixStorage(directory: directory)).isEmpty
        do { try body() } catch {
            // Report the command's error, not one of the cleanup.
            if isNew { try? removeEmpty(directory) }
            directories.removeEmpty()
            throw error
        }
    }

    /// Removes the segments of a store without records. The lock keeps out concurrent writers.
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

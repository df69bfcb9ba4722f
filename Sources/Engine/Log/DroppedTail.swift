import Bytes
import Storage

/// Copies a dropped tail, which may hold acknowledged records, to a file next to the segment. Recovery ignores the file, and
/// the engine never removes it.
enum DroppedTail {
    /// Copies the dropped bytes of `tail` to a new file. Returns its name when the file and the name are durable.
    static func setAside(_ tail: LogTail, in storage: any Storage) throws(StorageError) -> ByteString {
        let source = try storage.openForReading(tail.name.fileName)
        let temporary = tail.name.replacementName
        let taken = Set(try storage.list())
        if taken.contains(temporary) { try storage.unlink(temporary) }
        let file = try storage.create(temporary)
        var position: UInt64 = 0
        while position < tail.droppedBytes {
            let count = Int(min(tail.droppedBytes - position, 1 << 20))
            let part = try source.read(countBytes: count, at: tail.droppedOffsetBytes + position)
            // Up to the end of the file, which cannot change while the directory is locked.
            guard !part.isEmpty else { break }
            try file.write(part, at: position)
            position += UInt64(part.count)
        }
        try file.sync()
        let name = name(for: tail, among: taken)
        try storage.rename(temporary, to: name)
        try storage.syncDirectory()
        return name
    }

    /// The segment and the offset, and a number if this name is already taken.
    private static func name(for tail: LogTail, among taken: Set<ByteString>) -> ByteString {
        let base = ByteString(tail.name.fileName.bytes + ".dropped-at-\(tail.droppedOffsetBytes)".utf8)
        var name = base
        var number = 1
        while taken.contains(name) {
            number += 1
            name = ByteString(base.bytes + "-\(number)".utf8)
        }
        return name
    }
}

import Bytes
import Storage

/// Keeps what is dropped from the end of a log, where it may have been acknowledged: in a file beside the segment, whose
/// name no recovery looks at, and which nothing here ever removes.
enum DroppedTail {
    /// Copies what `tail` drops into a file of its own. Returns its name, once it and the file are durable.
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
            // As far as the file goes: it is locked, and nobody should cut it.
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

    /// The segment and the offset; a number behind that if the same place was dropped before.
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

import Bytes
import Storage

/// Writes key-value pairs as lines of JSON.
enum JSONLExport {
    /// Passes the lines of keys and values to `body`, about 1 MiB at a time, in the order of the keys. Returns the number of
    /// lines.
    static func write<Failure: Error>(
        _ keys: [ByteString], _ value: (ByteString) throws(Failure) -> [UInt8]?,
        _ take: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) -> Int {
        var count = 0
        var lines: [UInt8] = []
        for key in keys {
            guard let value = try value(key) else { continue }
            lines += #"{"key_b64":""#.utf8
            Base64.append(key.bytes, to: &lines)
            lines += #"","value_b64":""#.utf8
            Base64.append(value, to: &lines)
            lines += "\"}\n".utf8
            count += 1
            if lines.count >= 1 << 20 {
                try take(lines)
                lines.removeAll(keepingCapacity: true)
            }
        }
        if !lines.isEmpty { try take(lines) }
        return count
    }

    /// Writes the lines to a file atomically: an existing file of this name stays until the new content is durable.
    static func write(
        _ keys: [ByteString], to name: ByteString, in target: any Storage,
        value: (ByteString) throws(EngineError) -> [UInt8]?
    ) throws(EngineError) -> Int {
        let partial = ByteString(name.bytes + ".partial".utf8)
        let file = try throughStorage { () throws(StorageError) in
            // A crash may have left the file of an interrupted export.
            if try target.list().contains(partial) { try target.unlink(partial) }
            return try target.create(partial)
        }
        var writtenBytes: UInt64 = 0
        let count = try write(keys, value) { (lines) throws(EngineError) in
            try throughStorage { () throws(StorageError) in try file.write(lines, at: writtenBytes) }
            writtenBytes += UInt64(lines.count)
        }
        try throughStorage { () throws(StorageError) in
            try file.sync()
            try target.rename(partial, to: name)
            try target.syncDirectory()
        }
        return count
    }
}

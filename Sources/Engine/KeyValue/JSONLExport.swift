import Bytes
import Storage

/// Writes key-value pairs as lines of JSON into a file that appears all at once: what stood under its name before stays
/// until the new content is durable.
struct JSONLExport: ~Copyable {
    private let storage: any Storage
    private let name: ByteString
    private let temporaryName: ByteString
    private let file: any StorageFile
    private var buffer: [UInt8] = []
    private var writtenBytes: UInt64 = 0

    /// Writes the values of keys, in the order of the keys; returns how many there were.
    static func write(
        _ keys: [ByteString], to name: ByteString, in target: any Storage,
        value: (ByteString) throws(EngineError) -> [UInt8]?
    ) throws(EngineError) -> Int {
        var export = try throughStorage { () throws(StorageError) in try JSONLExport(to: name, in: target) }
        var count = 0
        for key in keys {
            guard let value = try value(key) else { continue }
            try throughStorage { () throws(StorageError) in try export.append(key, value) }
            count += 1
        }
        try throughStorage { () throws(StorageError) in try export.finish() }
        return count
    }

    private init(to name: ByteString, in storage: any Storage) throws(StorageError) {
        self.storage = storage
        self.name = name
        temporaryName = ByteString(name.bytes + ".partial".utf8)
        // Left by an export that a crash interrupted.
        if try storage.list().contains(temporaryName) { try storage.unlink(temporaryName) }
        file = try storage.create(temporaryName)
    }

    mutating func append(_ key: ByteString, _ value: [UInt8]) throws(StorageError) {
        buffer += #"{"key_b64":""#.utf8
        Base64.append(key.bytes, to: &buffer)
        buffer += #"","value_b64":""#.utf8
        Base64.append(value, to: &buffer)
        buffer += "\"}\n".utf8
        if buffer.count >= 1 << 20 { try flush() }
    }

    /// Makes the file durable and gives it its name.
    mutating func finish() throws(StorageError) {
        try flush()
        try file.sync()
        try storage.rename(temporaryName, to: name)
        try storage.syncDirectory()
    }

    private mutating func flush() throws(StorageError) {
        try file.write(buffer, at: writtenBytes)
        writtenBytes += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }
}

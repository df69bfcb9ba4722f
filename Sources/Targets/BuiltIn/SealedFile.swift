import Bytes
import Storage

/// A small file that is replaced as a whole, and ends with the checksum of what it says.
enum SealedFile {
    /// What the file says, or nil if there is none.
    static func contents(of name: ByteString, in storage: any Storage) throws -> ArraySlice<UInt8>? {
        guard try storage.list().contains(name) else { return nil }
        let contents = try storage.openForReading(name).contents()
        let end = contents.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard contents[end...].elementsEqual(seal(contents[..<end])) else {
            throw SavedStateError(description: "'\(name)' is damaged: its checksum is wrong")
        }
        return contents[..<end]
    }

    /// Replaces what the file said, all at once and durably. `text` ends with a line's end.
    static func replace(_ name: ByteString, with text: [UInt8], in storage: any Storage) throws {
        let partial = ByteString(name.bytes + ".partial".utf8)
        if try storage.list().contains(partial) { try storage.unlink(partial) }
        let file = try storage.create(partial)
        try file.write(text + seal(text[...]), at: 0)
        try file.sync()
        try storage.rename(partial, to: name)
        try storage.syncDirectory()
    }

    private static func seal(_ text: ArraySlice<UInt8>) -> [UInt8] {
        Array("\(CRC32C.checksum(Array(text)))\n".utf8)
    }
}

/// A file beside the log does not hold what was written into it, or the log no longer what such a file says.
struct SavedStateError: Error, CustomStringConvertible {
    var description: String
}

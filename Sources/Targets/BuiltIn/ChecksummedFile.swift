import Bytes
import Storage

/// A small file that is replaced atomically and ends with a checksum line.
enum ChecksummedFile {
    /// The file's content without the checksum; nil if there is no file.
    static func contents(of name: ByteString, in storage: any Storage) throws -> ArraySlice<UInt8>? {
        guard try storage.list().contains(name) else { return nil }
        let contents = try storage.openForReading(name).contents()
        let end = contents.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard contents[end...].elementsEqual(checksumLine(contents[..<end])) else {
            throw SavedStateError(description: "'\(name)' is damaged: its checksum is wrong")
        }
        return contents[..<end]
    }

    /// Replaces the file, atomically and durably. `text` must end with a newline.
    static func replace(_ name: ByteString, with text: [UInt8], in storage: any Storage) throws {
        let partial = ByteString(name.bytes + ".partial".utf8)
        if try storage.list().contains(partial) { try storage.unlink(partial) }
        let file = try storage.create(partial)
        try file.write(text + checksumLine(text[...]), at: 0)
        try file.sync()
        try storage.rename(partial, to: name)
        try storage.syncDirectory()
    }

    private static func checksumLine(_ text: ArraySlice<UInt8>) -> [UInt8] {
        Array("\(CRC32C.checksum(Array(text)))\n".utf8)
    }
}

/// A file beside the log is damaged, or contradicts the log.
struct SavedStateError: Error, CustomStringConvertible {
    var description: String
}

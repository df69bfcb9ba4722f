import Bytes
import Engine
import Storage

/// What events add up to: the last payload of each entity, and how far they are applied. Not safe for several threads.
final class EventProjection {
    /// The last event that is applied.
    private(set) var sequence: UInt64 = 0
    private var values: [ByteString: [UInt8]] = [:]

    private static let name: ByteString = "applied"

    /// What was saved, or nothing: a line with the sequence number, a line for each entity, in base64, and one with the
    /// checksum of all that stands above it.
    init(savedIn storage: any Storage) throws {
        guard try storage.list().contains(Self.name) else { return }
        let contents = try storage.openForReading(Self.name).contents()
        let end = contents.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard contents[end...].elementsEqual(Self.seal(contents[..<end])) else {
            throw SavedStateError(description: "'applied' is damaged: its checksum is wrong")
        }
        let lines = contents[..<end].split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first, let number = UInt64(String(decoding: first, as: UTF8.self)) else {
            throw SavedStateError(description: "'applied' does not begin with a number")
        }
        sequence = number
        for line in lines.dropFirst() {
            let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard fields.count == 2 else { throw SavedStateError(description: "'applied' has a line that is none") }
            values[ByteString(try Base64.decode(Array(fields[0])))] = try Base64.decode(Array(fields[1]))
        }
    }

    private static func seal(_ text: ArraySlice<UInt8>) -> [UInt8] {
        Array("\(CRC32C.checksum(Array(text)))\n".utf8)
    }

    var items: [(ByteString, [UInt8])] { values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    func apply(_ event: SequencedEvent) {
        // The crash may have come between saving and the checkpoint.
        guard event.sequence > sequence else { return }
        sequence = event.sequence
        values[event.event.entity] = event.event.weight < 0 ? nil : event.event.type.bytes
    }

    /// Shows something that must not happen as a key that nobody wrote.
    func note(_ what: ByteString) { values[what] = [] }

    /// Replaces what was saved before, all at once and durably.
    func save(in storage: any Storage) throws {
        var text = Array("\(sequence)\n".utf8)
        for (key, value) in items {
            text += Base64.encode(key.bytes) + [UInt8(ascii: " ")] + Base64.encode(value) + [UInt8(ascii: "\n")]
        }
        text += Self.seal(text[...])
        let partial: ByteString = "applied.partial"
        if try storage.list().contains(partial) { try storage.unlink(partial) }
        let file = try storage.create(partial)
        try file.write(text, at: 0)
        try file.sync()
        try storage.rename(partial, to: Self.name)
        try storage.syncDirectory()
    }
}

/// The file of what was applied does not hold what was written into it.
struct SavedStateError: Error, CustomStringConvertible {
    var description: String
}

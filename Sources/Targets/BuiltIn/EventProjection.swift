import Bytes
import Engine
import Events
import Storage

/// What events add up to: the last payload of each entity, and how far they are applied. The newest events are kept as
/// well, to be sent again by one that does not know whether they arrived. Not safe for several threads.
final class EventProjection {
    /// The last event that is applied.
    private(set) var sequence: UInt64 = 0
    /// How far they were when they were saved last.
    private(set) var savedSequence: UInt64 = 0
    /// The last of the applied events, oldest first.
    private(set) var recent: [SequencedEvent] = []
    private var values: [ByteString: [UInt8]] = [:]

    private static let name: ByteString = "applied"
    private static let recentCount = 20

    /// What was saved, or nothing: a line with the sequence number, a line for each entity and for each recent event, in
    /// base64, and one with the checksum of all that stands above it.
    init(savedIn storage: any Storage) throws {
        guard let text = try SealedFile.contents(of: Self.name, in: storage) else { return }
        let lines = text.split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first, let number = UInt64(String(decoding: first, as: UTF8.self)) else {
            throw SavedStateError(description: "'applied' does not begin with a number")
        }
        sequence = number
        savedSequence = number
        for line in lines.dropFirst() {
            let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            if fields.count == 2 {
                values[ByteString(try Base64.decode(Array(fields[0])))] = try Base64.decode(Array(fields[1]))
            } else {
                recent.append(try Self.event(fields))
            }
        }
    }

    private static func event(_ fields: [ArraySlice<UInt8>]) throws -> SequencedEvent {
        let numbers = fields.dropFirst(2).map { String(decoding: $0, as: UTF8.self) }
        guard numbers.count == 4, let sequence = UInt64(numbers[0]), let arrival = UInt64(numbers[1]),
            let weight = Double(numbers[2]), let timestamp = Int64(numbers[3])
        else { throw SavedStateError(description: "'applied' has a line that is none") }
        let event = Event(
            entity: ByteString(try Base64.decode(Array(fields[0]))),
            type: ByteString(try Base64.decode(Array(fields[1]))), weight: weight, timestamp: timestamp)
        return SequencedEvent(sequence: sequence, arrivalNanoseconds: arrival, event: event)
    }

    var items: [(ByteString, [UInt8])] { values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    func apply(_ event: SequencedEvent) {
        // The crash may have come between saving and the checkpoint.
        guard event.sequence > sequence else { return }
        sequence = event.sequence
        recent = recent.suffix(Self.recentCount - 1) + [event]
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
        for sent in recent {
            let event = sent.event
            text += Base64.encode(event.entity.bytes) + [UInt8(ascii: " ")] + Base64.encode(event.type.bytes)
            text += Array(" \(sent.sequence) \(sent.arrivalNanoseconds) \(event.weight) \(event.timestamp)\n".utf8)
        }
        try SealedFile.replace(Self.name, with: text, in: storage)
        savedSequence = sequence
    }
}

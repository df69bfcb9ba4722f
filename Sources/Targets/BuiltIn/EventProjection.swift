import Bytes
import Engine
import Events
import Storage

/// The state computed from the events: the last payload of each entity, and the last applied sequence number. Also
/// keeps the newest events, to resend them like a client that does not know whether they arrived. Not thread safe.
final class EventProjection {
    /// The last applied event.
    private(set) var sequence: UInt64 = 0
    /// The last applied event at the time of the last save.
    private(set) var savedSequence: UInt64 = 0
    /// The newest applied events, oldest first.
    private(set) var recent: [SequencedEvent] = []
    private var values: [ByteString: [UInt8]] = [:]

    private static let name: ByteString = "applied"
    private static let recentCount = 20

    /// Loads the saved state, if any. The file has a line with the sequence number, a line for each entity and each
    /// recent event, in base64, and a checksum line.
    init(savedIn storage: any Storage) throws {
        guard let text = try ChecksummedFile.contents(of: Self.name, in: storage) else { return }
        let lines = text.split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first, let number = UInt64(String(decoding: first, as: UTF8.self)) else {
            throw SavedStateError(description: "'applied' does not start with a number")
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
        else { throw SavedStateError(description: "'applied' has an invalid line") }
        let event = Event(
            entity: ByteString(try Base64.decode(Array(fields[0]))),
            type: ByteString(try Base64.decode(Array(fields[1]))), weight: weight, timestamp: timestamp)
        return SequencedEvent(sequence: sequence, arrivalNanoseconds: arrival, event: event)
    }

    var items: [(ByteString, [UInt8])] { values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    func apply(_ event: SequencedEvent) {
        // A crash between saving and the checkpoint replays events that are already applied.
        guard event.sequence > sequence else { return }
        sequence = event.sequence
        recent = recent.suffix(Self.recentCount - 1) + [event]
        values[event.event.entity] = event.event.weight < 0 ? nil : event.event.type.bytes
    }

    /// Reports an anomaly as an extra key, which the validator finds.
    func reportAnomaly(_ key: ByteString) { values[key] = [] }

    /// Saves the state, atomically and durably.
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
        try ChecksummedFile.replace(Self.name, with: text, in: storage)
        savedSequence = sequence
    }
}

import Bytes
import Engine

/// The encoding of the event view's records (docs/log-format.md). All integers are little-endian.
///
///     event       key: the entity; payload: sequence 8 │ arrival 8 │ timestamp 8 │ weight 8 │ the type
///     checkpoint  no key;          payload: sequence 8 │ time 8
enum EventRecord {
    static let fixedPayloadBytes = 32
    static let checkpointPayloadBytes = 16

    /// The payload of an event. It gets its sequence number when its batch is written.
    static func payload(of event: Event, arrival: UInt64) -> [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(fixedPayloadBytes + event.type.count)
        payload.appendLittleEndian(UInt64(0))
        payload.appendLittleEndian(arrival)
        payload.appendLittleEndian(event.timestamp)
        payload.appendLittleEndian(event.weight.bitPattern)
        payload += event.type.bytes
        return payload
    }

    static func setSequence(_ sequence: UInt64, in payload: inout [UInt8]) {
        payload.withUnsafeMutableBytes { $0.storeLittleEndian(sequence, at: 0) }
    }

    static func payload(of checkpoint: Checkpoint) -> [UInt8] {
        var payload: [UInt8] = []
        payload.appendLittleEndian(checkpoint.sequence)
        payload.appendLittleEndian(checkpoint.timeNanoseconds)
        return payload
    }

    /// nil if the bytes are not an event.
    static func event(key: ByteString, payload: UnsafeRawBufferPointer) -> SequencedEvent? {
        guard payload.count >= fixedPayloadBytes else { return nil }
        let sequence: UInt64 = payload.littleEndian(at: 0)
        guard SegmentHeader.lsns.contains(sequence) else { return nil }
        let event = Event(
            entity: key, type: ByteString(payload[fixedPayloadBytes...]),
            weight: Double(bitPattern: payload.littleEndian(at: 24)), timestamp: payload.littleEndian(at: 16))
        return SequencedEvent(sequence: sequence, arrivalNanoseconds: payload.littleEndian(at: 8), event: event)
    }

    /// nil if the bytes are not a checkpoint.
    static func checkpoint(payload: UnsafeRawBufferPointer) -> Checkpoint? {
        guard payload.count == checkpointPayloadBytes else { return nil }
        let sequence: UInt64 = payload.littleEndian(at: 0)
        guard sequence == 0 || SegmentHeader.lsns.contains(sequence) else { return nil }
        return Checkpoint(sequence: sequence, timeNanoseconds: payload.littleEndian(at: 8))
    }
}

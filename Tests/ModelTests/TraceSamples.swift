import Bytes
import Model

/// One record of every form that a trace can hold, with its data.
enum TraceSamples {
    static let odd = ByteString([0xFF, 0x0A, 0xC3, 0x28, UInt8(ascii: "\\")])
    static let attributes = Attributes(mode: 0o7755, owner: 1000, group: .max)
    static let entry = DirectoryEntry(.root, "a name")

    static let base: [(BaseRecord, data: String)] = [
        (.node(.root, .directory, attributes, sizeBytes: 0), ""),
        (.node(InodeID(2), .regular, attributes, sizeBytes: 1 << 40), ""),
        (.node(InodeID(3), .symbolicLink(target: odd), attributes, sizeBytes: 0), ""),
        (.node(InodeID(4), .fifo, attributes, sizeBytes: 0), ""),
        (.node(InodeID(5), .socket, attributes, sizeBytes: 0), ""),
        (.extendedAttribute(InodeID(2), name: "user.x", value: odd), ""),
        (.entry(DirectoryEntry(.root, odd), InodeID(2)), ""),
        (.content(InodeID(2), offsetBytes: 4096, data: Payload(offsetBytes: 7, countBytes: 5)), "hello"),
    ]

    static let events: [(TraceEvent, data: String)] =
        changes.enumerated().map { place, change in
            let id = OperationID(UInt64(place + 1))
            return (
                .operation(Operation(id: id, change.0, process: -Int32(place), isComplete: place % 2 == 0)), change.data
            )
        } + origins.map { ($0, "data") } + barriers.map { ($0, "") } + [
            (.completed(OperationID(.max)), ""),
            (.oracle(Payload(offsetBytes: 0, countBytes: 8)), "{\"op\":1}"),
            (.oracle(Payload(offsetBytes: 0, countBytes: 0)), ""),
            (.fault(OperationID(9), rule: "fsync path=*.wal nth=3 -> EIO lose"), ""),
        ]

    private static let changes: [(Change, data: String)] = [
        (.write(InodeID(2), offsetBytes: UInt64(Int64.max) - 4, data: Payload(offsetBytes: 0, countBytes: 4)), "data"),
        (.write(InodeID(2), offsetBytes: 0, data: Payload(offsetBytes: 0, countBytes: 1)), "x"),
        (.truncate(InodeID(2), sizeBytes: 12), ""),
        (.allocate(InodeID(2), offsetBytes: 1, countBytes: 2, .extend), ""),
        (.allocate(InodeID(2), offsetBytes: 1, countBytes: 2, .zeroRangeKeepSize), ""),
        (.create(InodeID(6), .regular, attributes, at: entry), ""),
        (.create(InodeID(7), .symbolicLink(target: "../x"), attributes, at: entry), ""),
        (.link(InodeID(2), at: DirectoryEntry(.root, odd)), ""),
        (.unlink(entry), ""),
        (.rename(from: entry, to: DirectoryEntry(InodeID(8), "b"), .replace), ""),
        (.rename(from: entry, to: entry, .exchange), ""),
        (.setAttributes(InodeID(2), attributes), ""),
        (.setExtendedAttribute(InodeID(2), name: "user.x", value: nil), ""),
        (.setExtendedAttribute(InodeID(2), name: "user.x", value: ""), ""),
        (.setExtendedAttribute(InodeID(2), name: "user.x", value: odd), ""),
    ]

    private static let origins: [TraceEvent] = Operation.Origin.allCases.flatMap { origin in
        [true, false].map { isComplete in
            .operation(
                Operation(
                    id: OperationID(19),
                    .write(InodeID(2), offsetBytes: 4096, data: Payload(offsetBytes: 0, countBytes: 4)),
                    origin: origin, isComplete: isComplete))
        }
    }

    private static let barriers: [TraceEvent] = [
        .barrierBegan(OperationID(20), .fsync(InodeID(2)), process: .max),
        .barrierBegan(OperationID(21), .fdatasync(InodeID(2)), process: 0),
        .barrierBegan(OperationID(22), .flush, process: .min),
        .barrierBegan(OperationID(23), .forceUnitAccess(OperationID(7)), process: 1),
        .barrierEnded(OperationID(20), errno: 0),
        .barrierEnded(OperationID(21), errno: 5),
    ]

    static let records: [(TraceRecord, data: String)] =
        base.map { (.base($0.0), $0.data) } + events.map { (.event($0.0), $0.data) }

    /// The whole trace of `records`, and where the data of each went.
    static func encoded() throws -> (bytes: [UInt8], records: [TraceRecord]) {
        var encoder = TraceEncoder()
        var stored: [TraceRecord] = []
        for (record, data) in records {
            let payload = try Array(data.utf8).withUnsafeBytes { try encoder.encode(record, data: $0) }
            stored.append(payload.map(record.moved(to:)) ?? record)
        }
        try encoder.end()
        return (encoder.bytes, stored)
    }

    /// What a decoder finds in `bytes`, and how it stops.
    static func decoded(_ bytes: [UInt8]) -> (records: [TraceRecord], last: Result<TraceDecoder.Step, TraceError>) {
        var decoder = TraceDecoder()
        var records: [TraceRecord] = []
        while true {
            let step = bytes.withUnsafeBytes { buffer -> Result<TraceDecoder.Step, TraceError> in
                let rest = UnsafeRawBufferPointer(rebasing: buffer[Int(decoder.offsetBytes)...])
                do throws(TraceError) { return .success(try decoder.next(in: rest)) } catch { return .failure(error) }
            }
            guard case .success(.record(let record)) = step else { return (records, step) }
            records.append(record)
        }
    }
}

/// Damage with right checksums.
extension TraceSamples {
    /// Where each record of a whole trace is, and the fields in it (the body).
    static func places(in bytes: [UInt8]) -> [(whole: Range<Int>, fields: Range<Int>)] {
        var places: [(Range<Int>, Range<Int>)] = []
        var start = TraceFormat.headerBytes
        while start < bytes.count {
            let body = start + TraceFormat.frameBytes
            let end = body + (bytes[start + 1..<start + 8].reversed().reduce(0) { $0 << 8 | Int($1) })
            places.append((start..<end, body..<end))
            start = end
        }
        return places
    }

    /// Makes the second checksum of the record right again.
    static func repair(_ bytes: inout [UInt8], _ record: Range<Int>) {
        let covered = Array(bytes[record.prefix(12)] + bytes[record.dropFirst(TraceFormat.frameBytes)])
        let check = withUnsafeBytes(of: CRC32C.checksum(covered).littleEndian, Array.init)
        bytes.replaceSubrange(record.lowerBound + 12..<record.lowerBound + 16, with: check)
    }
}

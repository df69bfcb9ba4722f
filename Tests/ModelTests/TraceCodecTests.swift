import Bytes
import Model
import Testing

struct TraceCodecTests {
    @Test func `every record comes back, and its payload points to its data`() throws {
        let (bytes, records) = try TraceSamples.encoded()
        let found = TraceSamples.decoded(bytes)
        #expect(found.records == records)
        #expect(found.last == .success(.end))
        for (record, sample) in zip(found.records, TraceSamples.records) {
            guard let payload = record.payload else { continue }
            let data = bytes[Int(payload.offsetBytes)..<Int(payload.offsetBytes + payload.countBytes)]
            #expect(data.elementsEqual(sample.data.utf8))
        }
    }

    @Test func `a trace cut off at any byte gives what was whole and asks for more`() throws {
        let (bytes, records) = try TraceSamples.encoded()
        for count in 0..<bytes.count {
            let found = TraceSamples.decoded(Array(bytes[..<count]))
            #expect(found.records.elementsEqual(records.prefix(found.records.count)))
            guard case .success(.needs(let needed)) = found.last else {
                Issue.record("cut after \(count) bytes: \(found.last)")
                continue
            }
            // More than is there, and never more than the whole trace has.
            #expect(needed > 0 && needed <= bytes.count)
        }
    }

    @Test func `a flipped bit anywhere is damage, and nothing wrong is decoded`() throws {
        let (bytes, records) = try TraceSamples.encoded()
        for place in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[place] ^= 1 << bit
                let found = TraceSamples.decoded(damaged)
                #expect(found.records.elementsEqual(records.prefix(found.records.count)))
                guard case .failure = found.last else {
                    Issue.record("bit \(bit) of byte \(place): \(found.last)")
                    continue
                }
            }
        }
    }

    @Test(arguments: [
        (Array("SQLite format 3".utf8) + [0], TraceError.notATrace),
        (Array("SQL".utf8), .notATrace),
        (header(version: 0), .unsupportedVersion(0)),
        (header(version: 3), .unsupportedVersion(3)),
    ])
    func `what is no trace of this version is refused`(bytes: [UInt8], error: TraceError) {
        #expect(TraceSamples.decoded(bytes).last == .failure(error))
    }

    /// A write by process 0 is the kernel's, by what version 1 said of processes.
    @Test func `a trace of version 1 is read, and tells calls from pages written back`() throws {
        let write = Change.write(InodeID(2), offsetBytes: 0, data: Payload(offsetBytes: 0, countBytes: 1))
        let changes: [(Change, process: Int32, isComplete: Bool)] = [
            (write, 7, true), (write, 7, false), (write, 0, true), (.unlink(TraceSamples.entry), 0, true),
        ]
        var encoder = TraceEncoder()
        for (change, process, isComplete) in changes {
            let operation = Operation(id: OperationID(1), change, process: process, isComplete: isComplete)
            let data: [UInt8] = change == write ? [7] : []
            _ = try data.withUnsafeBytes { try encoder.encode(.event(.operation(operation)), data: $0) }
        }
        try encoder.end()
        let old = Self.header(version: 1) + encoder.bytes.dropFirst(TraceFormat.headerBytes)
        let found = TraceSamples.decoded(old)
        let operations: [Operation] = found.records.compactMap {
            if case .event(.operation(let operation)) = $0 { operation } else { nil }
        }
        #expect(operations.map(\.origin) == [.call, .call, .writeback, .call])
        #expect(operations.map(\.isComplete) == [true, false, true, true])
        #expect(found.last == .success(.end))
    }

    @Test func `a trace of version 1 has no other origins`() throws {
        var encoder = TraceEncoder()
        let write = Change.write(InodeID(2), offsetBytes: 0, data: Payload(offsetBytes: 0, countBytes: 1))
        _ = try [UInt8(7)].withUnsafeBytes { data in
            try encoder.encode(
                .event(.operation(Operation(id: OperationID(1), write, origin: .sameCall))), data: data)
        }
        let old = Self.header(version: 1) + encoder.bytes.dropFirst(TraceFormat.headerBytes)
        guard case .failure(.damaged) = TraceSamples.decoded(old).last else {
            return #expect(Bool(false), "\(TraceSamples.decoded(old).last)")
        }
    }

    @Test func `a record at another place than it was written for is damage`() throws {
        var encoder = TraceEncoder()
        let event = TraceRecord.event(.completed(OperationID(1)))
        for _ in 0..<3 { try encoder.encode(event, data: .init(start: nil, count: 0)) }
        let recordBytes = TraceFormat.frameBytes + 8
        let start = encoder.bytes.count - recordBytes
        var bytes = encoder.bytes
        bytes.removeSubrange(start - recordBytes..<start)
        let found = TraceSamples.decoded(bytes)
        #expect(found.records.count == 1)
        #expect(
            found.last
                == .failure(
                    .damaged(offsetBytes: UInt64(start - recordBytes), reason: "the frame's checksum is wrong")))
    }

    @Test func `base records come before events, and nothing comes after the end`() throws {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        var encoder = TraceEncoder()
        try encoder.encode(.event(.completed(OperationID(1))), data: none)
        #expect(throws: TraceError.outOfOrder(offsetBytes: encoder.offsetBytes)) {
            try encoder.encode(.base(.entry(TraceSamples.entry, .root)), data: none)
        }
        try encoder.end()
        #expect(throws: TraceError.outOfOrder(offsetBytes: encoder.offsetBytes)) {
            try encoder.encode(.event(.completed(OperationID(2))), data: none)
        }
        #expect(throws: TraceError.outOfOrder(offsetBytes: encoder.offsetBytes)) { try encoder.end() }
        #expect(TraceSamples.decoded(encoder.bytes).last == .success(.end))
    }

    @Test func `data of another length than the record says is refused`() {
        var encoder = TraceEncoder()
        let before = encoder.bytes
        #expect(throws: TraceError.wrongDataCount(expected: 4, given: 0)) {
            try encoder.encode(
                .event(.oracle(Payload(offsetBytes: 0, countBytes: 4))), data: .init(start: nil, count: 0))
        }
        #expect(encoder.bytes == before)
    }

    @Test(
        arguments: [
            .event(.operation(Operation(id: OperationID(1), .truncate(InodeID(2), sizeBytes: 1 << 63)))),
            .event(
                .operation(
                    Operation(
                        id: OperationID(1), .allocate(InodeID(2), offsetBytes: .max, countBytes: 2, .extend)))),
            .event(.operation(Operation(id: OperationID(1), .unlink(DirectoryEntry(.root, ".."))))),
            .event(.operation(Operation(id: OperationID(1), .unlink(TraceSamples.entry), origin: .sameCall))),
            .event(
                .operation(Operation(id: OperationID(1), .truncate(InodeID(2), sizeBytes: 0), origin: .writeback))),
            .event(.operation(Operation(id: OperationID(1), .link(InodeID(2), at: DirectoryEntry(.root, "a/b"))))),
            .event(
                .operation(
                    Operation(
                        id: OperationID(1), .rename(from: TraceSamples.entry, to: DirectoryEntry(.root, ""), .replace)))
            ),
            .event(.operation(Operation(id: OperationID(1), .setAttributes(InodeID(2), Attributes(mode: 0o100644))))),
            .base(.entry(DirectoryEntry(.root, ByteString([UInt8](repeating: 97, count: 256))), InodeID(2))),
            .base(.node(InodeID(2), .symbolicLink(target: ""), Attributes(mode: 0o777), sizeBytes: 0)),
            .base(.extendedAttribute(InodeID(2), name: "", value: "")),
            .base(.extendedAttribute(InodeID(2), name: "no-namespace", value: "")),
            .base(.extendedAttribute(InodeID(2), name: "user.", value: "")),
            .base(.extendedAttribute(InodeID(2), name: "unknown.x", value: "")),
            .base(.extendedAttribute(InodeID(2), name: "user.x", value: tooLong)),
            .base(.extendedAttribute(InodeID(2), name: "system.posix_acl_access", value: "no list")),
            attribute("x", ""), attribute("nonsense.x", nil),
            attribute("user.x", tooLong),
            attribute("system.posix_acl_default", "12345678"),
            .base(.node(InodeID(0), .regular, Attributes(mode: 0o644), sizeBytes: 0)),
            .event(
                .operation(
                    Operation(
                        id: OperationID(1),
                        .create(InodeID(0), .regular, Attributes(mode: 0o644), at: TraceSamples.entry)))),
            .event(
                .operation(
                    Operation(
                        id: OperationID(1),
                        .write(InodeID(2), offsetBytes: 0, data: Payload(offsetBytes: 0, countBytes: 0))))),
            .event(
                .operation(
                    Operation(id: OperationID(1), .allocate(InodeID(2), offsetBytes: 0, countBytes: 0, .extend)))),
            .event(.barrierEnded(OperationID(1), errno: -1)), .event(.barrierEnded(OperationID(1), errno: 4096)),
        ] as [TraceRecord])
    func `what no kernel reports is refused`(record: TraceRecord) {
        var encoder = TraceEncoder()
        let before = encoder.bytes
        let error = #expect(throws: TraceError.self) {
            try encoder.encode(record, data: .init(start: nil, count: 0))
        }
        guard case .illegal(16, _) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(encoder.bytes == before)
    }

    private static let tooLong = ByteString([UInt8](repeating: 1, count: 65537))

    private static func attribute(_ name: ByteString, _ value: ByteString?) -> TraceRecord {
        .event(.operation(Operation(id: OperationID(1), .setExtendedAttribute(InodeID(2), name: name, value: value))))
    }

    @Test func `attributes as Linux has them are taken`() throws {
        let list: ByteString = ByteString([2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255])
        let largest = ByteString([UInt8](repeating: 1, count: 65536))
        let taken: [(ByteString, ByteString?)] = [
            ("user.x", largest), ("user.x", ""), ("trusted.overlay.opaque", "y"), ("security.selinux", "label"),
            ("system.posix_acl_access", list), ("system.posix_acl_access", ""), ("system.posix_acl_default", nil),
            ("btrfs.compression", "zstd"),
        ]
        var encoder = TraceEncoder()
        for (name, value) in taken {
            try encoder.encode(Self.attribute(name, value), data: .init(start: nil, count: 0))
        }
    }

    @Test func `a name with a slash is refused although its checksums are right`() throws {
        var encoder = TraceEncoder()
        let place = encoder.offsetBytes
        try encoder.encode(.base(.entry(DirectoryEntry(.root, "a.b"), InodeID(2))), data: .init(start: nil, count: 0))
        var bytes = encoder.bytes
        let dot = try #require(bytes.lastIndex(of: UInt8(ascii: ".")))
        bytes[dot] = UInt8(ascii: "/")
        TraceSamples.repair(&bytes, Int(place)..<bytes.count)
        #expect(
            TraceSamples.decoded(bytes).last
                == .failure(.illegal(offsetBytes: place, reason: "'a/b' is not a file name")))
    }

    @Test func `fields that no encoder writes are damage, whatever the checksum says`() throws {
        let (bytes, _) = try TraceSamples.encoded()
        // Every byte of every body takes a few values, with checksums made right again: no trap, and what is decoded
        // encodes to the same bytes.
        for record in TraceSamples.places(in: bytes) {
            for place in record.fields {
                for value in [0, 1, 2, 0x7F, 0xFF] as [UInt8] {
                    var changed = bytes
                    changed[place] = value
                    TraceSamples.repair(&changed, record.whole)
                    let found = TraceSamples.decoded(changed)
                    if case .success(.needs) = found.last { Issue.record("byte \(place) = \(value): \(found.last)") }
                }
            }
        }
    }

    private static func header(version: UInt32) -> [UInt8] {
        let head = TraceFormat.magic + withUnsafeBytes(of: version.littleEndian, Array.init)
        return head + withUnsafeBytes(of: CRC32C.checksum(head).littleEndian, Array.init)
    }
}

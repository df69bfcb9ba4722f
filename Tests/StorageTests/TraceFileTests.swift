import Bytes
import Glibc
import Model
import TestDevices
import Testing

@testable import Storage

struct TraceFileTests {
    private let scratch: ScratchDirectory
    private var path: ByteString { scratch.file("trace") }

    init() throws { scratch = try ScratchDirectory() }

    /// A tree with a file "a", inode 2, with the content `data`.
    private static func tree(_ data: Payload) -> Tree {
        var tree = Tree()
        var file = Node(kind: .regular, attributes: Attributes(mode: 0o644))
        file.sizeBytes = data.countBytes
        file.content.write(data, at: 0)
        tree.nodes[InodeID(2)] = file
        tree.nodes[.root]?.entries["a"] = InodeID(2)
        return tree
    }

    /// An event that is valid at any place.
    private static func event(_ id: UInt64) -> TraceEvent { .fault(OperationID(id), rule: "a rule") }

    private func write(_ count: Int, at offset: UInt64, id: UInt64) -> TraceEvent {
        .operation(
            Operation(
                id: OperationID(id),
                .write(InodeID(2), offsetBytes: offset, data: Payload(offsetBytes: 0, countBytes: UInt64(count)))))
    }

    @Test(arguments: [1, 100, 32 << 10, (32 << 10) - 1, 1 << 20, 3_000_000])
    func `data of every size comes back`(count: Int) throws {
        let data = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        var writer = try TraceWriter(creating: path)
        let arena = PayloadArena()
        try writer.append(base: Self.tree(arena.store(data)), from: arena)
        let event = try data.withUnsafeBytes { try writer.append(write(count, at: 9, id: 1), data: $0) }
        let line = try data.withUnsafeBytes { try writer.append(oracleLine: $0) }
        let fault = try writer.append(.fault(OperationID(1), rule: "a rule"))
        let size = writer.sizeBytes
        try writer.finish()

        let reader = try TraceReader(path: path)
        let trace = try reader.load()
        #expect(trace.base.nodes[InodeID(2)]?.sizeBytes == UInt64(count))
        let runs = try #require(trace.base.nodes[InodeID(2)]).content.extents.map(\.data)
        #expect(try runs.flatMap(reader.bytes(of:)) == data)
        #expect(runs.allSatisfy { $0.countBytes <= 1 << 20 })
        #expect(trace.events == [event, .oracle(line), fault])
        #expect(trace.ending == .whole)
        for payload in [TraceRecord.event(event).payload!, line] {
            #expect(payload.offsetBytes < size)
            #expect(try reader.bytes(of: payload) == data)
        }
    }

    @Test func `a file truncated at any byte reports where, and keeps earlier records`() throws {
        var writer = try TraceWriter(creating: path)
        let arena = PayloadArena()
        try writer.append(base: Self.tree(arena.store([1, 2, 3])), from: arena)
        try writer.flush()
        let baseBytes = writer.sizeBytes + 24
        var ends: [UInt64] = []
        for id in 1...5 as ClosedRange<UInt64> {
            try Array("four".utf8).withUnsafeBytes { data in _ = try writer.append(write(4, at: 0, id: id), data: data)
            }
            ends.append(writer.sizeBytes)
        }
        try writer.finish()
        let size = Int(writer.sizeBytes)
        for count in (0..<size).reversed() {
            #expect(path.withText { truncate($0, count) } == 0)
            guard UInt64(count) >= baseBytes else {
                let error = #expect(throws: TraceFileError.self) { try TraceReader(path: path).load() }
                guard case .baseMissing = error else { return #expect(Bool(false), "\(String(describing: error))") }
                continue
            }
            let trace = try TraceReader(path: path).load()
            #expect(trace.events.count == ends.count { $0 <= UInt64(count) })
            switch trace.ending {
            case .whole: Issue.record("whole after \(count) of \(size) bytes")
            case .unfinished(let at): #expect(at == UInt64(count))
            case .cutOff(let record, let missing): #expect(record < UInt64(count) && missing > 0)
            }
        }
    }

    @Test func `an unfinished trace is read up to the last flush, and further later`() throws {
        var writer = try TraceWriter(creating: path)
        try writer.append(Self.event(1))
        let reader = try TraceReader(path: path)
        var cursor = reader.cursor()
        #expect(try cursor.next() == nil)
        #expect(cursor.ending == .unfinished(atBytes: 0))
        try writer.flush()
        #expect(try cursor.next() == .event(Self.event(1)))
        #expect(try cursor.next() == nil)
        #expect(cursor.ending == .unfinished(atBytes: writer.sizeBytes))
        try writer.append(Self.event(2))
        try writer.finish()
        #expect(try cursor.next() == .event(Self.event(2)))
        #expect(try cursor.next() == nil)
        #expect(cursor.ending == .whole)
    }

    @Test func `damage is an error with its offset, after the records before it`() throws {
        var writer = try TraceWriter(creating: path)
        try writer.append(Self.event(1))
        let place = writer.sizeBytes
        try writer.append(Self.event(2))
        try writer.finish()
        try overwrite([0xAA], at: place + 16)
        var cursor = try TraceReader(path: path).cursor()
        #expect(try cursor.next() == .event(Self.event(1)))
        #expect(
            throws: TraceFileError.trace(
                path: path, .damaged(offsetBytes: place, reason: "the record's checksum is wrong"))
        ) { try cursor.next() }
    }

    @Test func `base records without a valid tree are an error`() throws {
        var writer = try TraceWriter(creating: path)
        try writer.append(.entry(DirectoryEntry(.root, "a"), InodeID(2)))
        try writer.finish()
        #expect(throws: TraceFileError.base(path: path, .unknownInode(InodeID(2)))) {
            try TraceReader(path: path).load()
        }
    }

    @Test func `an impossible event is an error with its number and offset`() throws {
        var writer = try TraceWriter(creating: path)
        try writer.append(Self.event(1))
        try writer.flush()
        let place = writer.sizeBytes
        try writer.append(.barrierEnded(OperationID(2), errno: 0))
        try writer.finish()
        var cursor = try TraceReader(path: path).cursor()
        #expect(try cursor.next() == .event(Self.event(1)))
        #expect(
            throws: TraceFileError.illegal(
                path: path, event: 2, offsetBytes: place, .barrierNotBegun(OperationID(2)))
        ) { try cursor.next() }
    }

    @Test func `bytes after the end record are damage`() throws {
        var writer = try TraceWriter(creating: path)
        try writer.finish()
        let size = writer.sizeBytes
        try overwrite([0], at: size)
        #expect(throws: TraceFileError.self) { try TraceReader(path: path).load() }
    }

    @Test func `an existing file and a symbolic link are not overwritten`() throws {
        try TraceWriter(creating: path).close()
        #expect(throws: TraceFileError.system(call: "open", path: path, errno: EEXIST)) {
            try TraceWriter(creating: path).close()
        }
        #expect(path.withText { symlink("elsewhere", $0 + ".link") } == 0)
        let link = ByteString(path.bytes + Array(".link".utf8))
        #expect(throws: TraceFileError.system(call: "open", path: link, errno: EEXIST)) {
            try TraceWriter(creating: link).close()
        }
    }

    @Test func `missing data is an error`() throws {
        var writer = try TraceWriter(creating: path)
        try writer.finish()
        let reader = try TraceReader(path: path)
        for payload in [
            Payload(offsetBytes: 0, countBytes: 1 << 50), Payload(offsetBytes: .max, countBytes: .max),
            Payload(offsetBytes: 1 << 63, countBytes: 1),
        ] {
            #expect(throws: TraceFileError.dataMissing(path: path, payload)) { try reader.bytes(of: payload) }
        }
    }

    @Test(.enabled(if: FullDevice.isThere, "\(FullDevice.absence)"), arguments: [100, 64 << 10])
    func `a full disk under the trace is an error at once and closes the writer`(count: Int) throws {
        let path = ByteString(FullDevice.path)
        var writer = TraceWriter(try TraceDescriptor(device: path))
        let data = [UInt8](repeating: 7, count: count)
        let error = data.withUnsafeBytes { bytes -> TraceFileError? in
            do throws(TraceFileError) {
                for id in 1...100_000 as ClosedRange<UInt64> {
                    try writer.append(write(count, at: 0, id: id), data: bytes)
                }
                return nil
            } catch {
                return error
            }
        }
        #expect(error == .system(call: "pwrite", path: path, errno: ENOSPC))
        // Later calls throw the first error again, in case no earlier caller reported it.
        let first = try #require(error)
        #expect(throws: first) { try writer.append(Self.event(1)) }
        #expect(throws: first) { try writer.flush() }
        #expect(throws: first) { try writer.finish() }
    }

    @Test(.timeLimit(.minutes(5))) func `a FIFO is not a trace and does not block`() throws {
        let directory = try ScratchDirectory()
        let path = directory.file("fifo")
        #expect(mkfifo("\(path)", 0o600) == 0)
        #expect(throws: TraceFileError.notAFile(path: path)) { try TraceReader(path: path) }
        let folder = ByteString(directory.path)
        #expect(throws: TraceFileError.notAFile(path: folder)) { try TraceReader(path: folder) }
    }

    private func overwrite(_ bytes: [UInt8], at offset: UInt64) throws {
        let descriptor = path.withText { open($0, O_WRONLY) }
        defer { close(descriptor) }
        try #require(pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count)
    }
}

extension ByteString {
    fileprivate func withText<Result>(_ body: (String) -> Result) -> Result {
        body(String(decoding: bytes, as: UTF8.self))
    }
}

extension TraceWriter {
    fileprivate consuming func close() {}
}

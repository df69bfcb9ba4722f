import Bytes
import Foundation
import Model
import Storage
import Testing

@testable import Block

/// Logs of dm-log-writes, written here, as traces.
struct WriteLogTests {
    private let scratch: BlockScratch

    init() throws { scratch = try BlockScratch() }

    /// Some of everything: two sectors, a flush, a mark, a write with FUA, a discard, and a write that no flush follows.
    private static func sample(sectorBytes: Int = 512) -> WriteLogBuilder {
        var log = WriteLogBuilder(sectorBytes: sectorBytes)
        log.write("ab", at: 2)
        log.mark("faultline-oracle-1")
        log.flush()
        log.write("c", at: 2, flags: 2 | 16)
        log.discard(1, at: 3)
        log.mark("faultline-oracle-2")
        log.write("d", at: 0)
        return log
    }

    private func file(_ bytes: [UInt8]) throws -> ByteString {
        let path = scratch.file("log-\(UUID().uuidString)")
        try Data(bytes).write(to: URL(filePath: "\(path)"))
        return path
    }

    /// The events of a trace, a text each, and its base.
    private func events(
        _ log: [UInt8], sizeBytes: UInt64 = 8192, from mark: String? = nil, image: ByteString? = nil,
        oracle: [String]? = nil, marksAt: UInt64? = nil
    ) throws -> (events: [String], base: [UInt8], counts: WriteLogImport.Counts) {
        let trace = scratch.file("trace-\(UUID().uuidString)")
        var conversion = try WriteLogImport(creating: trace, marksAt: marksAt)
        let reader = try WriteLogReader(try file(log))
        if let mark {
            try conversion.appendBase(sizeBytes: sizeBytes, before: mark, of: reader)
        } else {
            try conversion.appendBase(sizeBytes: sizeBytes, image: image)
        }
        try conversion.appendEvents(of: reader, sizeBytes: sizeBytes, oracle: oracle?.map { Array($0.utf8) })
        try conversion.finish()
        let loaded = try TraceReader(path: trace)
        let recorded = try loaded.load()
        #expect(recorded.ending == .whole)
        var base = [UInt8](repeating: 0, count: Int(sizeBytes))
        let disk = try #require(recorded.base[DirectoryEntry(.root, "disk")])
        let node = try #require(recorded.base.nodes[disk])
        #expect(node.sizeBytes == sizeBytes)
        for extent in node.content.extents {
            base.replaceSubrange(
                Int(extent.offsetBytes)..<Int(extent.endBytes), with: try loaded.bytes(of: extent.data))
        }
        return (try recorded.events.map { try Self.text($0, loaded) }, base, conversion.counts)
    }

    private static func text(_ event: TraceEvent, _ reader: TraceReader) throws -> String {
        switch event {
        case .operation(let operation):
            switch operation.change {
            case .write(_, let offset, let data):
                let bytes = try reader.bytes(of: data)
                return "\(operation.id.rawValue) write \(offset) \(bytes.count) \(Set(bytes).sorted())"
            case .allocate(_, let offset, let count, .punchHole):
                return "\(operation.id.rawValue) punch \(offset) \(count)"
            default: return "\(operation)"
            }
        case .barrierBegan(let id, .forceUnitAccess(let write), _): return "\(id.rawValue) fua of \(write.rawValue)"
        case .barrierBegan(let id, .flush, _): return "\(id.rawValue) flush"
        case .barrierEnded(let id, errno: 0): return "\(id.rawValue) ended"
        case .oracle(let line): return "oracle " + String(decoding: try reader.bytes(of: line), as: UTF8.self)
        default: return "\(event)"
        }
    }

    @Test(arguments: [512, 4096]) func `each entry is an event at its place, and marks are oracle lines`(sector: Int)
        throws
    {
        let (events, base, counts) = try events(
            Self.sample(sectorBytes: sector).bytes(), sizeBytes: UInt64(8 * sector), oracle: ["one", "two"])
        #expect(
            events == [
                "1 write \(2 * sector) \(2 * sector) [97, 98]", "oracle one", "2 flush", "2 ended",
                "3 write \(2 * sector) \(sector) [99]", "4 fua of 3", "4 ended", "5 punch \(3 * sector) \(sector)",
                "oracle two", "6 write 0 \(sector) [100]",
            ])
        #expect(base.allSatisfy { $0 == 0 })
        #expect(counts == .init(writes: 3, flushes: 1, forcedWrites: 1, discards: 1, oracleLines: 2))
    }

    @Test func `a flush that carries data is a flush, and then the write`() throws {
        var log = WriteLogBuilder()
        log.write("x", at: 1, flags: 1 | 2)
        #expect(
            try events(log.bytes()).events == ["1 flush", "1 ended", "2 write 512 512 [120]", "3 fua of 2", "3 ended"])
    }

    @Test func `without an oracle each mark is a line, and with one other marks are left out`() throws {
        var log = WriteLogBuilder()
        log.mark("{\"op\":1}")
        log.mark("mkfs")
        #expect(try events(log.bytes()).events == ["oracle {\"op\":1}", "oracle mkfs"])
        let counts = try events(log.bytes(), oracle: ["one"]).counts
        #expect(counts.otherMarks == 2 && counts.oracleLines == 0)
    }

    @Test func `what comes before a mark is the base, and so is an image`() throws {
        let (events, base, counts) = try events(Self.sample().bytes(), from: "faultline-oracle-2", oracle: [])
        #expect(events == ["1 write 0 512 [100]"])
        #expect(base[1024..<1536].allSatisfy { $0 == UInt8(ascii: "c") })
        #expect(base[1536..<2048].allSatisfy { $0 == 0 }, "the discard came after the write")
        #expect(counts.baseEntries == 6)
        var image = [UInt8](repeating: 0, count: 20_000)
        image[9000] = 7
        let whole = try self.events(Self.sample().bytes(), sizeBytes: 20_000, image: try file(image))
        #expect(whole.base == image)
        let path = try file(Self.sample().bytes())
        var conversion = try WriteLogImport(creating: scratch.file("t"))
        #expect(throws: WriteLogError.noMark(path, text: "nowhere")) {
            try conversion.appendBase(sizeBytes: 8192, before: "nowhere", of: WriteLogReader(path))
        }
    }

    @Test func `writes to the place for marks are marks`() throws {
        var log = WriteLogBuilder()
        log.write("a", at: 0)
        log.add(
            sector: 16, count: 1, flags: 2,
            then: Array("faultline-oracle-1".utf8) + [UInt8](repeating: 0, count: 512 - 18))
        #expect(
            try events(log.bytes(), oracle: ["one"], marksAt: 8192).events == ["1 write 0 512 [97]", "oracle one"])
    }

    @Test func `a last mark whose line nobody wrote is left out, and one in the middle is an error`() throws {
        var log = Self.sample()
        #expect(try events(log.bytes(), oracle: ["one"]).counts.otherMarks == 1)
        log.mark("faultline-oracle-3")
        #expect {
            try events(log.bytes(), oracle: ["one"])
        } throws: {
            guard case WriteLogError.lineMissing(_, entry: 6, _, line: 2, lineCount: 1) = $0 else { return false }
            return true
        }
    }

    @Test func `a log that is cut off anywhere is refused, with the entry's place`() throws {
        let (log, whole) = (Self.sample(), Self.sample().bytes())
        let starts = (1...7).map { log.offset(ofEntry: $0) }
        for length in stride(from: 0, to: whole.count, by: 100) {
            let path = try file(Array(whole[..<length]))
            #expect {
                let reader = try WriteLogReader(path)
                while try reader.next() != nil {}
            } throws: { error in
                switch error {
                case WriteLogError.notALog: return length < 28
                case WriteLogError.truncated(path, let entry, of: 7, let offset):
                    let next = starts.dropFirst(Int(entry)).first ?? whole.count
                    return starts[Int(entry) - 1] == offset && Int(offset) <= length && length < next
                        || length < starts[0]
                default: return false
                }
            }
        }
    }

    @Test(arguments: [
        (place: 16, value: UInt64(32), "unknown flags 0x20"), (0, UInt64.max, "beyond any device"),
        (8, UInt64.max / 2, "beyond any device"), (8, 0, "neither writes, flushes nor marks"),
        (16, 8, "a mark that has 2 sectors"), (0, 1 << 30, "of a device of 8192"),
    ])
    func `a damaged entry is refused, with its place`(place: Int, value: UInt64, reason: String) throws {
        var bytes = Self.sample().bytes()
        for index in 0..<8 { bytes[512 + place + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
        #expect {
            try events(bytes, oracle: ["one", "two"])
        } throws: { error in
            guard case WriteLogError.damaged(_, entry: 1, offsetBytes: 512, let said) = error else { return false }
            return said.contains(reason)
        }
    }

    @Test func `a header of another file, version or sector size is refused`() throws {
        let log = Self.sample()
        for bytes in [
            log.bytes(magic: 1), log.bytes(version: 2), WriteLogBuilder(sectorBytes: 768).bytes(),
            WriteLogBuilder(sectorBytes: 256).bytes(), [],
        ] {
            let path = try file(bytes)
            #expect {
                _ = try WriteLogReader(path)
            } throws: {
                if case WriteLogError.notALog(path, _) = $0 { true } else { false }
            }
        }
    }

    @Test func `any byte may be wrong: an error or other events, and never a trap`() throws {
        let whole = Self.sample().bytes()
        for place in Array(0..<28) + Array(512..<560) + Array(2048..<2120) {
            for value in [UInt8(0), 0x7F, 0x80, 0xFF] {
                var bytes = whole
                bytes[place] = value
                _ = try? events(bytes, oracle: ["one", "two"])
            }
        }
    }
}

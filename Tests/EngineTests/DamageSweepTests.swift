import Bytes
import Storage
import Testing

@testable import Engine

/// Every byte, length, unit, record and segment of a small log is damaged in turn. No reader or writer silently loses a record
/// that is known to have been durable, and none returns a value that was never written.
@Suite struct DamageSweepTests {
    /// A damage of the files of a log.
    enum Harm: String, CaseIterable, Sendable {
        case flippedByte, truncation, zeroedUnit, zeroedEnd, swappedRecords, copiedRecord, movedSegment, missingSegment
        case lyingHeader
    }

    private typealias Files = [ByteString: [UInt8]]

    @Test(arguments: Harm.allCases, [true, false])
    func `no damage silently loses a durable record`(_ harm: Harm, _ isClosed: Bool) throws {
        let log = try SweptLog(closing: isClosed)
        let whole = try judge(log.contents, log, "untouched")
        #expect(whole == .kept)
        var seen: [Verdict: Int] = [:]
        try forEach(harm, log) { label, files in
            seen[try judge(files, log, "\(label)"), default: 0] += 1
        }
        #expect(seen.values.reduce(0, +) > 1 && seen[.kept] != seen.values.reduce(0, +), "\(seen)")
    }

    // MARK: Judging

    private enum Verdict { case refused, kept, said }

    /// Opens, reads, checks and writes the damaged log.
    private func judge(_ files: Files, _ log: SweptLog, _ label: @autoclosure () -> String) throws -> Verdict {
        let witnessed = log.witnessedLSN(in: files)
        // A log that was closed tells also by its length that something is missing.
        let known = log.isClosed ? log.lastLSN : witnessed
        let check = try LogCheck(storage: MemoryStorage(contents: files))
        if check.damage == nil, check.report.ending.isCertain {
            #expect(check.report.lastLSN.rawValue >= known, "verify, \(label())")
        }
        if let snapshot = try? KeyValueSnapshot.open(storage: MemoryStorage(contents: files)) {
            let report = snapshot.recoveryReport
            #expect(check.report.lastLSN == report.lastLSN, "\(label())")
            let items = try snapshot.keys.map { ($0, try snapshot.get($0) ?? []) }
            try judge(items, report, log, known, "read, \(label())")
        }
        let storage = try MemoryStorage(contents: files)
        let store: KeyValueStore
        do throws(EngineError) { store = try KeyValueStore.open(storage: storage, options: small) } catch {
            #expect(try storage.contents() == files, "a refusal changes nothing, \(label())")
            #expect(check.damage != nil, "\(label()): \(error)")
            return .refused
        }
        let report = store.recoveryReport
        #expect(check.damage == nil, "\(label())")
        #expect(report.lastLSN.rawValue >= witnessed, "\(label()): a frame says that more was durable")
        try judge(store.items().map { ($0.key, $0.value) }, report, log, known, "open, \(label())")
        try store.put("new", [1])
        try store.close()
        let again = try KeyValueStore.open(storage: storage, options: small)
        #expect(again.recoveryReport.lastLSN.rawValue == report.lastLSN.rawValue + 1, "\(label())")
        return report.lastLSN.rawValue == log.lastLSN ? .kept : .said
    }

    /// All returned values were written, and nothing up to `known` is missing unless it is reported.
    private func judge(
        _ items: [(ByteString, [UInt8])], _ report: RecoveryReport, _ log: SweptLog, _ known: UInt64,
        _ label: @autoclosure () -> String
    ) throws {
        let last = report.lastLSN.rawValue
        let found = Dictionary(uniqueKeysWithValues: items)
        #expect(found == log.states[last], "\(label()): the state after \(report.lastLSN)")
        guard last < known else { return }
        #expect(!report.ending.isCertain, "\(label()): \(report)")
        // What is dropped on suspicion is kept in a file, unless it is a piece of a header.
        #expect(report.bytesDiscarded == 0 || report.isTailKept || report.ending == .blank, "\(label()): \(report)")
    }

    // MARK: Damaging

    private func forEach(_ harm: Harm, _ log: SweptLog, _ body: (String, Files) throws -> Void) throws {
        for name in SweptLog.names {
            switch harm {
            case .movedSegment: try move(name, log, body)
            case .missingSegment:
                // Nothing tells that the first segments are gone: a compaction removes them.
                guard name.sequence > 1 else { continue }
                var files = log.contents
                files[name.fileName] = nil
                try body("\(name.sequence) missing", files)
            case .flippedByte, .truncation, .zeroedUnit, .zeroedEnd, .swappedRecords, .copiedRecord, .lyingHeader:
                let whole = log.contents[name.fileName]!
                try forEachSegment(harm, name, whole, log) { label, bytes in
                    guard bytes != whole else { return }
                    var files = log.contents
                    files[name.fileName] = bytes
                    try body("\(harm) \(name.sequence): \(label)", files)
                }
            }
        }
    }

    private func move(_ name: SegmentName, _ log: SweptLog, _ body: (String, Files) throws -> Void) throws {
        for other in SweptLog.names + [SegmentName(shard: 0, sequence: 4)] where other != name {
            var files = log.contents
            files[other.fileName] = files[name.fileName]
            try body("\(name.sequence) copied to \(other.sequence)", files)
            files[name.fileName] = log.contents[other.fileName]
            try body("\(name.sequence) and \(other.sequence) exchanged", files)
        }
    }

    /// The damage of one segment.
    private func forEachSegment(
        _ harm: Harm, _ name: SegmentName, _ whole: [UInt8], _ log: SweptLog,
        _ body: (String, [UInt8]) throws -> Void
    ) throws {
        let used = log.used(name)
        switch harm {
        case .flippedByte:
            for offset in 0..<used {
                var bytes = whole
                bytes[offset] ^= 1 << UInt8(offset % 8)
                try body("\(offset)", bytes)
            }
        case .truncation:
            for length in 0..<used { try body("\(length)", Array(whole[..<length])) }
        case .zeroedUnit:
            for size in [16, 64, 512] {
                for start in stride(from: 0, to: used, by: size) {
                    try body("\(size) at \(start)", Self.zeroed(whole, start..<min(start + size, whole.count)))
                }
            }
        case .zeroedEnd:
            for start in 0..<used { try body("\(start)", Self.zeroed(whole, start..<whole.count)) }
        case .swappedRecords:
            let frames = log.frames(name)
            for (index, first) in frames.enumerated() {
                for second in frames[(index + 1)...] {
                    try body("\(first) and \(second)", Self.swapped(whole, first, second))
                }
            }
        case .copiedRecord:
            let targets = log.frames(name).map(\.lowerBound) + [used]
            for source in SweptLog.names {
                for frame in log.frames(source) {
                    let record = Array(log.contents[source.fileName]![frame])
                    for target in targets {
                        try body("\(frame) of \(source.sequence) to \(target)", Self.written(record, at: target, whole))
                    }
                }
            }
        case .lyingHeader:
            for (label, header) in LyingHeader.all(of: whole) { try body(label, Self.written(header, at: 0, whole)) }
        case .movedSegment, .missingSegment: break
        }
    }

    private static func zeroed(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8] {
        written([UInt8](repeating: 0, count: range.count), at: range.lowerBound, bytes)
    }

    private static func written(_ part: [UInt8], at start: Int, _ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        while bytes.count < start + part.count { bytes.append(0) }
        bytes.replaceSubrange(start..<start + part.count, with: part)
        return bytes
    }

    /// `first` lies before `second`.
    private static func swapped(_ bytes: [UInt8], _ first: Range<Int>, _ second: Range<Int>) -> [UInt8] {
        var swapped = Array(bytes[..<first.lowerBound])
        swapped += bytes[second]
        swapped += bytes[first.upperBound..<second.lowerBound]
        swapped += bytes[first]
        swapped += bytes[second.upperBound...]
        return swapped
    }
}

/// Wrong headers of a segment with a correct checksum.
private enum LyingHeader {
    static func all(of segment: [UInt8]) -> [(String, [UInt8])] {
        let header = Array(segment.prefix(SegmentHeader.sizeBytes))
        var lies: [(String, [UInt8])] = []
        func lie(_ label: String, at offset: Int, _ bytes: [UInt8]) {
            var lying = header
            lying.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            let body = lying.dropLast(Frame.checksumSizeBytes)
            lying = Array(body)
            lying.appendLittleEndian(CRC32C.checksum(Array(body)))
            lies.append((label, lying))
        }
        for version in [0, 1, 3, 255] as [UInt8] { lie("version \(version)", at: 4, [version]) }
        for type in [0, 2, 3, 4, 7, 10, 11] as [UInt8] { lie("type \(type)", at: 5, [type]) }
        let lsn = header.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self) }
        for other in [0, lsn - 1, lsn + 1, lsn + 3, lsn + 100, 1 << 62, .max] {
            lie("LSN \(other)", at: 8, littleEndian(other))
        }
        for count in [1, 200, UInt32.max] {
            lie("key of \(count)", at: 16, littleEndian(count))
            lie("payload of \(count)", at: 20, littleEndian(count))
        }
        for shard in [1, 10_000, UInt32.max] { lie("shard \(shard)", at: 24, littleEndian(shard)) }
        for sequence in [0, 7, UInt32.max] { lie("sequence \(sequence)", at: 28, littleEndian(sequence)) }
        return lies
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }
}

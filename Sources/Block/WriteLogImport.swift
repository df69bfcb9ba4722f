import Bytes
import Model
import Storage

/// Makes a `block` trace of a write log: what was on the device before, then its writes, flushes and marks in their order.
///
/// The device is a file named `disk`, as in every trace of a device. Its events are those of the log:
/// - A write, a discard: an operation, pending until a flush. A log has a write once a later flush has completed, so its
///   place may be later than that of a mark that came after it. States in which it survived are then derived after the mark.
/// - A flush: a barrier for all writes before it.
/// - A write with FUA: durable by itself, and no barrier for any other.
/// - A mark `faultline-oracle-N`: the Nth line of the oracle; without an oracle every mark is a line.
///
/// Call in order `appendBase`, `appendEvents`, `finish`. One thread at a time.
package struct WriteLogImport: ~Copyable {
    /// What a log held.
    package struct Counts: Hashable, Codable, Sendable {
        package var writes = 0
        package var flushes = 0
        package var forcedWrites = 0
        package var discards = 0
        /// Marks that became oracle lines.
        package var oracleLines = 0
        /// Marks that did not.
        package var otherMarks = 0
        /// Entries that became the base.
        package var baseEntries: UInt64 = 0
    }

    /// The text of the mark of an oracle line, without its number.
    package static let oracleMark = "faultline-oracle-"

    package private(set) var counts = Counts()
    private var writer: TraceWriter
    /// Writes from this byte on are marks; nil for none.
    private let marksAt: UInt64?
    private var nextID: UInt64 = 1
    private let disk = InodeID(2)

    private static let pieceBytes: UInt64 = 1 << 20
    private static let pageBytes = 4096

    /// - Parameter marksAt: writes from this byte of the device on are marks, whose text ends with a zero byte (`LoggedDisk`);
    ///   nil for a log whose marks are entries of their own.
    package init(creating trace: ByteString, marksAt: UInt64? = nil) throws(TraceFileError) {
        writer = try TraceWriter(creating: trace)
        self.marksAt = marksAt
    }

    /// The text of a mark; nil for another entry.
    private func mark(_ entry: WriteLogEntry, _ log: WriteLogReader) throws(WriteLogError) -> [UInt8]? {
        if entry.flags.contains(.mark) { return entry.text }
        guard let marksAt, entry.range.lowerBound >= marksAt, !entry.range.isEmpty, !entry.flags.contains(.discard)
        else {
            return nil
        }
        return Array(try log.data(of: entry, count: log.sectorBytes).prefix { $0 != 0 })
    }

    // MARK: - The device before the first event

    /// - Parameters:
    ///   - sizeBytes: of the device.
    ///   - image: what was on it, in a file; nil for zeros.
    package mutating func appendBase(sizeBytes: UInt64, image: ByteString?) throws {
        try appendDevice(sizeBytes)
        if let image {
            let file = try ImageFile(reading: image)
            for run in try file.runsOfData() {
                try appendContent(run.clamped(to: 0..<sizeBytes)) { buffer, offset in
                    try file.read(buffer, at: offset)
                }
            }
        }
        try appendName()
    }

    /// The base is what the log has written before a mark with this text, on a device of zeros. The mark must come after a
    /// flush that covers all of it.
    package mutating func appendBase(sizeBytes: UInt64, before mark: String, of log: WriteLogReader) throws {
        var content = ExtentMap()
        while true {
            guard let entry = try log.next() else { throw WriteLogError.noMark(log.path, text: mark) }
            counts.baseEntries += 1
            if let text = try self.mark(entry, log) {
                if text.elementsEqual(mark.utf8) { break }
            } else if entry.flags.contains(.discard) {
                content.zero(entry.range)
            } else {
                let data = Payload(offsetBytes: entry.dataOffsetBytes, countBytes: UInt64(entry.range.count))
                content.write(data, at: entry.range.lowerBound)
            }
        }
        try appendDevice(sizeBytes)
        for extent in content.slice(0..<sizeBytes) {
            try appendContent(extent.offsetBytes..<extent.endBytes) { buffer, offset in
                let place = extent.data.offsetBytes + (offset - extent.offsetBytes)
                buffer.copyBytes(from: try log.bytes(at: place, count: buffer.count))
            }
        }
        try appendName()
    }

    private mutating func appendDevice(_ sizeBytes: UInt64) throws(TraceFileError) {
        try writer.append(.node(.root, .directory, Attributes(mode: 0o755), sizeBytes: 0))
        try writer.append(.node(disk, .regular, Attributes(mode: 0o600), sizeBytes: sizeBytes))
    }

    private mutating func appendName() throws(TraceFileError) {
        try writer.append(.entry(DirectoryEntry(.root, ImageRecovery.diskName), disk))
    }

    /// Appends the pages of a range that hold more than zeros.
    private mutating func appendContent(
        _ range: Range<UInt64>, _ read: (UnsafeMutableRawBufferPointer, UInt64) throws -> Void
    ) throws {
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(Self.pieceBytes)) {
            var bytes = [UInt8](repeating: 0, count: Int(min(Self.pieceBytes, range.upperBound - start)))
            try bytes.withUnsafeMutableBytes { try read($0, start) }
            var place = 0
            while place < bytes.count {
                let begin = place
                while place < bytes.count, !Self.isZero(bytes[place..<min(place + Self.pageBytes, bytes.count)]) {
                    place += Self.pageBytes
                }
                let end = min(place, bytes.count)
                if end > begin {
                    let data = Payload(offsetBytes: 0, countBytes: UInt64(end - begin))
                    _ = try bytes[begin..<end].withUnsafeBytes {
                        try writer.append(.content(disk, offsetBytes: start + UInt64(begin), data: data), data: $0)
                    }
                }
                place = max(place, end) + (end == begin ? Self.pageBytes : 0)
            }
        }
    }

    private static func isZero(_ page: ArraySlice<UInt8>) -> Bool { page.allSatisfy { $0 == 0 } }

    // MARK: - The events

    /// Appends the entries that are left in the log.
    ///
    /// - Parameters:
    ///   - sizeBytes: of the device; a write beyond it is damage.
    ///   - oracle: the lines that marks name by their numbers. nil: the text of each mark is a line.
    package mutating func appendEvents(
        of log: WriteLogReader, sizeBytes: UInt64, oracle: [[UInt8]]?
    ) throws {
        /// A mark of a line that nobody has written in the end.
        var missing: (entry: WriteLogEntry, line: Int)?
        while let entry = try log.next() {
            guard let text = try mark(entry, log) else {
                try append(entry, of: log, sizeBytes: sizeBytes)
                continue
            }
            guard let oracle else {
                try append(line: text)
                continue
            }
            guard let number = Self.lineNumber(text) else {
                counts.otherMarks += 1
                continue
            }
            if let missing {
                throw WriteLogError.lineMissing(
                    log.path, entry: missing.entry.number, offsetBytes: missing.entry.offsetBytes, line: missing.line,
                    lineCount: oracle.count)
            }
            guard number <= oracle.count else {
                missing = (entry, number)
                counts.otherMarks += 1
                continue
            }
            try append(line: oracle[number - 1])
        }
    }

    /// The number of the line that a mark stands for, from 1; nil for another mark.
    static func lineNumber(_ text: [UInt8]) -> Int? {
        guard text.starts(with: oracleMark.utf8) else { return nil }
        let digits = String(decoding: text.dropFirst(oracleMark.utf8.count), as: UTF8.self)
        return Int(digits).flatMap { $0 > 0 ? $0 : nil }
    }

    private mutating func append(line: [UInt8]) throws(TraceFileError) {
        counts.oracleLines += 1
        let failure: TraceFileError? = line.withUnsafeBytes { bytes in
            do throws(TraceFileError) {
                try writer.append(oracleLine: bytes)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private mutating func append(_ entry: WriteLogEntry, of log: WriteLogReader, sizeBytes: UInt64) throws {
        guard entry.range.upperBound <= sizeBytes else {
            throw WriteLogError.damaged(
                log.path, entry: entry.number, offsetBytes: entry.offsetBytes,
                reason: "it reaches to byte \(entry.range.upperBound) of a device of \(sizeBytes)")
        }
        // A flush with data is a flush, and then the write (Documentation/block/writeback_cache_control.rst).
        if entry.flags.contains(.flush) {
            counts.flushes += 1
            try append(.flush)
        }
        guard !entry.range.isEmpty else { return }
        let (start, count) = (entry.range.lowerBound, UInt64(entry.range.count))
        if entry.flags.contains(.discard) {
            counts.discards += 1
            return try append(.allocate(disk, offsetBytes: start, countBytes: count, .punchHole), data: [])
        }
        counts.writes += 1
        let data = try log.data(of: entry, count: count)
        let operation = OperationID(nextID)
        try append(
            .write(disk, offsetBytes: start, data: Payload(offsetBytes: 0, countBytes: count)), data: data)
        guard entry.flags.contains(.forceUnitAccess) else { return }
        counts.forcedWrites += 1
        try append(.forceUnitAccess(operation))
    }

    private mutating func takeID() -> OperationID {
        defer { nextID += 1 }
        return OperationID(nextID)
    }

    private mutating func append(_ change: Change, data: [UInt8]) throws {
        let event = TraceEvent.operation(Operation(id: takeID(), change))
        _ = try data.withUnsafeBytes { try writer.append(event, data: $0) }
    }

    private mutating func append(_ barrier: Barrier) throws {
        let id = takeID()
        try writer.append(.barrierBegan(id, barrier, process: 0))
        try writer.append(.barrierEnded(id, errno: 0))
    }

    /// Completes the trace.
    package mutating func finish() throws(TraceFileError) { try writer.finish() }
}

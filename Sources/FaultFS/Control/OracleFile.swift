import CPlatform
import Glibc
import Platform

/// `.faultline/oracle`: each appended line becomes a trace event, in order with the operations, and is written to a
/// file outside the mount. So the oracle is not on the storage under test, and it stops with the power.
///
/// Each write is checked before write(2) returns. A complete line is accepted at once, with or without its newline. An
/// invalid line fails the write (EINVAL), and the status gives the reason. A partial line is buffered per descriptor,
/// so that writers never mix, until a later write completes it. While a partial line is buffered, close(2) and fsync(2)
/// fail (EINVAL), since nothing was accepted. The next writer may complete the partial line of a closed one, as in any
/// file. The outside file never ends in a partial line, whenever the power is cut. fsync(2) of the oracle is not a
/// barrier in the trace.
///
/// Without a check every text is valid: it becomes a line at its newline or when its writer closes.
final class OracleFile: ControlFile, @unchecked Sendable {
    typealias Judge = @Sendable (_ line: ArraySlice<UInt8>, _ number: Int) -> OracleLineJudgement

    /// The status key for the reason of a rejected line.
    static let rejected = "oracle-refused"

    /// The longest line, so that a file without newlines cannot fill the memory.
    private static let maximumLineSizeBytes = 64 << 20
    /// A partial line up to this size is checked at every write. A longer one is checked only when it may be complete
    /// or has doubled, so that the total cost stays linear.
    private static let alwaysCheckedSizeBytes = 64 << 10

    private let recorder: Recorder
    private let outside: SharedDescriptor
    private let judge: Judge?
    private let willWrite: (@Sendable (_ number: Int) throws(Errno) -> Void)?
    private let rejectedWrites: RejectedWriteLog
    private let lock = Lock()
    private var lineCount = 0
    /// The last writer that closed with a partial line.
    private var closedWriter: OracleHandle?

    init(
        _ recorder: Recorder, outside: SharedDescriptor, rejectedWrites: RejectedWriteLog, judge: Judge?,
        willWrite: (@Sendable (_ number: Int) throws(Errno) -> Void)?
    ) {
        self.willWrite = willWrite
        self.recorder = recorder
        self.outside = outside
        self.rejectedWrites = rejectedWrites
        self.judge = judge
    }

    var sizeBytes: Int64 {
        var attributes = stat()
        return faultline_fstat(outside.rawValue, &attributes) == 0 ? Int64(attributes.st_size) : 0
    }

    func open(flags: Int32) throws(Errno) -> ControlHandle { OracleHandle(self) }

    /// Does nothing: the file is append-only, so a shell's `>` appends like `>>`.
    func truncate() throws(Errno) {}

    /// Accepts the lines in order. If some were accepted before an invalid one or a power cut, the write is short.
    private func append(_ data: UnsafeRawBufferPointer, from writer: OracleHandle) throws(Errno) -> Int {
        lock.lock()
        defer { lock.unlock() }
        if recorder.isFrozen { throw Errno(EIO) }
        var accepted = writer.skipEndOfLine(in: data)
        adoptPartialLine(for: writer, before: data[accepted...])
        do throws(Errno) {
            while let end = data[accepted...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = writer.partialLine + data[accepted..<end]
                try accept(line, judge?(line[...], lineCount + 1) ?? .complete, from: writer, hasNewline: true)
                accepted = end + 1
            }
            try buffer(data[accepted...], from: writer)
        } catch {
            if accepted == 0 { throw error }
            return accepted
        }
        return data.count
    }

    /// Handles close(2) and fsync(2) of a writer.
    private func flush(_ writer: OracleHandle) throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        guard !writer.partialLine.isEmpty else { return }
        if recorder.isFrozen { throw Errno(EIO) }
        let judgement = judge?(writer.partialLine[...], lineCount + 1) ?? .complete
        guard case .partial(let reason) = judgement else {
            return try accept(writer.partialLine, judgement, from: writer, hasNewline: false)
        }
        closedWriter = writer
        rejectedWrites.note("oracle-unfinished", reason)
        throw Errno(EINVAL)
    }

    /// Buffers a partial line, or accepts it if it is complete.
    private func buffer(_ rest: Slice<UnsafeRawBufferPointer>, from writer: OracleHandle) throws(Errno) {
        guard !rest.isEmpty else { return }
        let text = writer.partialLine + rest
        guard text.count <= Self.maximumLineSizeBytes else {
            let reason = "line \(lineCount + 1): longer than \(Self.maximumLineSizeBytes) bytes: not an oracle line"
            return try accept(text, .invalid(reason: reason), from: writer, hasNewline: false)
        }
        let shouldCheck =
            text.count <= Self.alwaysCheckedSizeBytes || text.count >= 2 * writer.checkedSizeBytes
            || rest.contains(UInt8(ascii: "}"))
        if shouldCheck, let judgement = judge?(text[...], lineCount + 1) {
            writer.checkedSizeBytes = text.count
            switch judgement {
            case .partial: break
            case .complete, .invalid: return try accept(text, judgement, from: writer, hasNewline: false)
            }
        }
        writer.partialLine = text
    }

    /// Moves the partial line of a closed writer to `writer`, if `text` continues it and is not a line by itself.
    private func adoptPartialLine(for writer: OracleHandle, before text: Slice<UnsafeRawBufferPointer>) {
        guard let judge, let left = closedWriter, left !== writer, writer.partialLine.isEmpty, !text.isEmpty else {
            return
        }
        let first = Array(text.prefix { $0 != UInt8(ascii: "\n") })
        guard case .invalid = judge(first[...], lineCount + 1) else { return }
        let joined = left.partialLine + first
        if case .invalid = judge(joined[...], lineCount + 1) { return }
        writer.partialLine = left.partialLine
        left.reset()
        closedWriter = writer
    }

    /// Writes a complete line; rejects any other. Afterwards the writer's buffer is empty, unless the power was cut.
    private func accept(
        _ line: [UInt8], _ judgement: OracleLineJudgement, from writer: OracleHandle, hasNewline: Bool
    ) throws(Errno) {
        switch judgement {
        case .complete: try write(line + [UInt8(ascii: "\n")])
        case .partial(let reason), .invalid(let reason):
            discardPartialLine(of: writer, hasNewline: hasNewline)
            rejectedWrites.note(Self.rejected, reason)
            throw Errno(EINVAL)
        }
        lineCount += 1
        discardPartialLine(of: writer, hasNewline: hasNewline)
    }

    private func discardPartialLine(of writer: OracleHandle, hasNewline: Bool) {
        writer.reset()
        writer.lacksNewline = !hasNewline
        guard closedWriter === writer else { return }
        closedWriter = nil
        rejectedWrites.note("oracle-unfinished", nil)
    }

    private func write(_ line: [UInt8]) throws(Errno) {
        let failure: Errno? = line.withUnsafeBytes { bytes in
            do throws(Errno) {
                try recorder.oracle(UnsafeRawBufferPointer(rebasing: bytes.dropLast())) { () throws(Errno) in
                    try willWrite?(lineCount + 1)
                    try writeOutside(bytes)
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private func writeOutside(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            rest = rest.dropFirst(try Errno.check(faultline_append(outside.rawValue, part.baseAddress, part.count)))
        }
    }

    private func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
        try Errno.check(faultline_pread(outside.rawValue, buffer.baseAddress, buffer.count, off_t(offset)))
    }

    /// One open of the oracle. Its fields are guarded by the file's lock.
    private final class OracleHandle: ControlHandle, @unchecked Sendable {
        let file: OracleFile
        /// The partial line that it wrote.
        var partialLine: [UInt8] = []
        /// The size of `partialLine` at its last check.
        var checkedSizeBytes = 0
        /// Its last line was accepted or rejected without a newline: a newline that follows belongs to that line.
        var lacksNewline = false

        init(_ file: OracleFile) { self.file = file }

        /// How many bytes at the start of `data` end a line that was checked already.
        func skipEndOfLine(in data: UnsafeRawBufferPointer) -> Int {
            guard lacksNewline else { return 0 }
            let spaces = data.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
            guard spaces.endIndex < data.endIndex else { return data.count }
            lacksNewline = false
            return data[spaces.endIndex] == UInt8(ascii: "\n") ? spaces.endIndex + 1 : 0
        }

        func reset() {
            partialLine = []
            checkedSizeBytes = 0
            lacksNewline = false
        }

        override func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
            try file.read(buffer, offset: offset)
        }

        override func write(_ data: UnsafeRawBufferPointer) throws(Errno) -> Int { try file.append(data, from: self) }

        override func flush() throws(Errno) { try file.flush(self) }
    }
}

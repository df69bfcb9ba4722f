import CPlatform
import Glibc

/// `.faultline/oracle`: each line appended to it becomes an event of the trace at its place among the operations, and
/// goes to a file outside the mount. So the oracle is kept off the storage under test, and stops with the power.
///
/// A write is judged before write(2) returns. A line that is whole counts then, with or without its newline; one that
/// the judge refuses fails the write (EINVAL), and the status says why. The beginning of a line is held with the
/// descriptor that wrote it, so that writers never mix, until a later write ends it; close(2) and fsync(2) fail
/// (EINVAL) while a beginning is held, for nothing has been taken. A beginning whose writer closed may be ended by the
/// next writer, as of any file. The file outside never ends in half a line, whenever the power goes.
/// A sync of it means nothing else: it is no barrier.
///
/// Without a judge any text is a line: when its newline comes, or when its writer closes.
final class OracleFile: ControlFile, @unchecked Sendable {
    typealias Judge = @Sendable (_ line: ArraySlice<UInt8>, _ number: Int) -> OracleLineJudgement

    /// What the status calls the reason of a refusal.
    static let refused = "oracle-refused"

    /// What is held of a line at most, so that a file without newlines cannot fill the memory.
    private static let maximumLineSizeBytes = 64 << 20
    /// Up to here the held beginning of a line is judged anew at every write, beyond only where it may have ended or has
    /// doubled: so judging stays linear in what is written.
    private static let alwaysJudgedSizeBytes = 64 << 10

    private let recorder: Recorder
    private let outside: Descriptor
    private let judge: Judge?
    private let refusals: RefusalLog
    private let lock = Lock()
    private var takenLines = 0
    /// The last writer that closed with the beginning of a line.
    private var unfinished: OracleHandle?

    init(_ recorder: Recorder, outside: Descriptor, refusals: RefusalLog, judge: Judge?) {
        self.recorder = recorder
        self.outside = outside
        self.refusals = refusals
        self.judge = judge
    }

    var sizeBytes: Int64 {
        var attributes = stat()
        return faultline_fstat(outside.number, &attributes) == 0 ? Int64(attributes.st_size) : 0
    }

    func open(flags: Int32) throws(Errno) -> ControlHandle { OracleHandle(self) }

    /// It is append-only: a shell's `>` appends as `>>` does.
    func truncate() throws(Errno) {}

    /// Takes the lines in order. When the power goes, or a line is refused, after others were taken, the write is short.
    private func append(_ data: UnsafeRawBufferPointer, from writer: OracleHandle) throws(Errno) -> Int {
        lock.lock()
        defer { lock.unlock() }
        if recorder.isFrozen { throw Errno(EIO) }
        var taken = writer.skipEndOfLine(in: data)
        adoptBeginning(for: writer, before: data[taken...])
        do throws(Errno) {
            while let end = data[taken...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = writer.beginning + data[taken..<end]
                try take(line, judge?(line[...], takenLines + 1) ?? .whole, from: writer, hasNewline: true)
                taken = end + 1
            }
            try hold(data[taken...], from: writer)
        } catch {
            if taken == 0 { throw error }
            return taken
        }
        return data.count
    }

    /// close(2) or fsync(2) of a writer.
    private func flush(_ writer: OracleHandle) throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        guard !writer.beginning.isEmpty else { return }
        if recorder.isFrozen { throw Errno(EIO) }
        let judgement = judge?(writer.beginning[...], takenLines + 1) ?? .whole
        guard case .unfinished(let reason) = judgement else {
            return try take(writer.beginning, judgement, from: writer, hasNewline: false)
        }
        unfinished = writer
        refusals.note("oracle-unfinished", reason)
        throw Errno(EINVAL)
    }

    /// Keeps what may become a line, or takes it if it is one.
    private func hold(_ rest: Slice<UnsafeRawBufferPointer>, from writer: OracleHandle) throws(Errno) {
        guard !rest.isEmpty else { return }
        let text = writer.beginning + rest
        guard text.count <= Self.maximumLineSizeBytes else {
            let reason = "line \(takenLines + 1): longer than \(Self.maximumLineSizeBytes) bytes: not an oracle"
            return try take(text, .refused(reason: reason), from: writer, hasNewline: false)
        }
        let isDue =
            text.count <= Self.alwaysJudgedSizeBytes || text.count >= 2 * writer.judgedSizeBytes
            || rest.contains(UInt8(ascii: "}"))
        if isDue, let judgement = judge?(text[...], takenLines + 1) {
            writer.judgedSizeBytes = text.count
            switch judgement {
            case .unfinished: break
            case .whole, .refused: return try take(text, judgement, from: writer, hasNewline: false)
            }
        }
        writer.beginning = text
    }

    /// Hands `writer` the beginning that another one left when it closed, if `text` goes on with it and is none itself.
    private func adoptBeginning(for writer: OracleHandle, before text: Slice<UnsafeRawBufferPointer>) {
        guard let judge, let left = unfinished, left !== writer, writer.beginning.isEmpty, !text.isEmpty else { return }
        let first = Array(text.prefix { $0 != UInt8(ascii: "\n") })
        guard case .refused = judge(first[...], takenLines + 1) else { return }
        let joined = left.beginning + first
        if case .refused = judge(joined[...], takenLines + 1) { return }
        writer.beginning = left.beginning
        left.reset()
        unfinished = writer
    }

    /// Writes a line down that is whole, and refuses any other. `writer` holds nothing afterwards, unless the power went.
    private func take(
        _ line: [UInt8], _ judgement: OracleLineJudgement, from writer: OracleHandle, hasNewline: Bool
    ) throws(Errno) {
        switch judgement {
        case .whole: try write(line + [UInt8(ascii: "\n")])
        case .unfinished(let reason), .refused(let reason):
            forgetBeginning(of: writer, hasNewline: hasNewline)
            refusals.note(Self.refused, reason)
            throw Errno(EINVAL)
        }
        takenLines += 1
        forgetBeginning(of: writer, hasNewline: hasNewline)
    }

    private func forgetBeginning(of writer: OracleHandle, hasNewline: Bool) {
        writer.reset()
        writer.lacksNewline = !hasNewline
        guard unfinished === writer else { return }
        unfinished = nil
        refusals.note("oracle-unfinished", nil)
    }

    private func write(_ line: [UInt8]) throws(Errno) {
        let failure: Errno? = line.withUnsafeBytes { bytes in
            do throws(Errno) {
                try recorder.oracle(UnsafeRawBufferPointer(rebasing: bytes.dropLast())) { () throws(Errno) in
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
            rest = rest.dropFirst(try Errno.check(faultline_append(outside.number, part.baseAddress, part.count)))
        }
    }

    private func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
        try Errno.check(faultline_pread(outside.number, buffer.baseAddress, buffer.count, off_t(offset)))
    }

    /// One opening of the oracle. What it holds belongs to the file's lock.
    private final class OracleHandle: ControlHandle, @unchecked Sendable {
        let file: OracleFile
        /// What it wrote of a line that has not ended.
        var beginning: [UInt8] = []
        /// How long `beginning` was when it was last judged.
        var judgedSizeBytes = 0
        /// Its last line was judged without a newline: one that comes now belongs to that line.
        var lacksNewline = false

        init(_ file: OracleFile) { self.file = file }

        /// How many bytes at the beginning of `data` end a line that was judged already.
        func skipEndOfLine(in data: UnsafeRawBufferPointer) -> Int {
            guard lacksNewline else { return 0 }
            let spaces = data.prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
            guard spaces.endIndex < data.endIndex else { return data.count }
            lacksNewline = false
            return data[spaces.endIndex] == UInt8(ascii: "\n") ? spaces.endIndex + 1 : 0
        }

        func reset() {
            beginning = []
            judgedSizeBytes = 0
            lacksNewline = false
        }

        override func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
            try file.read(buffer, offset: offset)
        }

        override func write(_ data: UnsafeRawBufferPointer) throws(Errno) -> Int { try file.append(data, from: self) }

        override func flush() throws(Errno) { try file.flush(self) }
    }
}

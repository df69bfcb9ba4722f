import Bytes
import Oracle

/// The oracle of a run over all its cycles: its text, and the validator that knows it.
struct OracleHistory {
    private(set) var text: [UInt8] = []
    private(set) var validator = Validator(.everything)
    private(set) var acknowledged = 0
    private var reader = OracleReader()
    private var lastSeq: UInt64 = 0

    /// How many lines there are.
    var lineCount: Int { reader.lineNumber }

    /// Operations that have begun and have no answer.
    var inFlight: Int { reader.inFlight }

    /// The number that the next cycle's first operation has.
    var nextSeq: UInt64 { lastSeq + 1 }

    /// Takes whole lines, each with its newline.
    mutating func append(_ lines: [UInt8]) throws(OracleError) {
        text += lines
        var validator = validator
        var acknowledged = acknowledged
        var lastSeq = lastSeq
        try reader.read(lines.span) { line, number throws(OracleError) in
            try validator.apply(line, at: number)
            if case .acknowledged = line { acknowledged += 1 }
            lastSeq = max(lastSeq, line.operation?.seq ?? 0)
        }
        self.validator = validator
        self.acknowledged = acknowledged
        self.lastSeq = lastSeq
    }

    /// Takes whole lines that were added to the file of the oracle.
    mutating func append(_ lines: [UInt8], of path: ByteString) throws(OracleDamage) {
        do throws(OracleError) { try append(lines) } catch { throw OracleDamage(path: path, error: error) }
    }

    /// Takes what a life of the store added to the file of the oracle. A line that a kill cut short was never there: it is
    /// cut off.
    mutating func takeWhatWasAdded(to path: ByteString) throws {
        // A workload that wrote no line has made no file either.
        let bytes = text.isEmpty && !RunFiles.exists(path) ? [] : try RunFiles.read(path)
        guard bytes.starts(with: text) else {
            throw RunError.harness("\(path) was changed by somebody else while the run wrote to it")
        }
        let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        if end < bytes.count { try RunFiles.truncate(path, to: end) }
        try append(Array(bytes[text.count..<end]), of: path)
    }

    /// A new life of the store begins, which showed `observation`: what was in flight is settled by it. Answers the
    /// line that belongs into the oracle.
    mutating func restart(showing observation: Observation) throws(OracleError) -> [UInt8] {
        let line = OracleLine.restart.encoded
        text += line
        var number = 0
        try reader.read(line.span) { _, line throws(OracleError) in number = line }
        validator.settle(by: observation, at: number)
        return line
    }

    /// Takes whole lines of which the last is a restart, at which the store showed `observation`.
    mutating func append(_ lines: [UInt8], lastRestartShowing observation: Observation) throws(OracleError) {
        let restart = OracleLine.restart.encoded
        guard lines.count >= restart.count, lines.suffix(restart.count).elementsEqual(restart) else {
            return try append(lines)
        }
        try append(Array(lines.dropLast(restart.count)))
        _ = try self.restart(showing: observation)
    }

    /// The first `count` lines.
    func text(firstLines count: Int) -> [UInt8] {
        guard count < lineCount else { return text }
        var left = count
        let end = text.firstIndex { byte in
            if left == 0 { return true }
            if byte == UInt8(ascii: "\n") { left -= 1 }
            return false
        }
        return Array(text[..<(end ?? text.endIndex)])
    }
}

import Bytes

/// Parses an oracle from a stream of chunks. Pure; keeps one line and the operations in flight in memory.
///
///     var reader = OracleReader()
///     try reader.read(chunk.span) { line, number throws(OracleError) in … }
///     try reader.finish { line, number throws(OracleError) in … }
///
/// A torn line (one that *ends* too early, because its writer was killed) is tolerated where a writer can die: at the
/// end of the file and right before a restart line. `tornLines` counts them. Any other damage, and any violation of
/// `SequenceRules`, is an error with its line; do not use the reader afterwards. A last line that lacks only its
/// newline is complete.
///
/// Append a restart line with `OracleLine.restartText(after:)`, which terminates a torn line first.
public struct OracleReader: Sendable {
    /// The default maximum line length, so that a file that is not an oracle cannot fill the memory.
    public static let maximumLineSizeBytes = 64 << 20

    /// The number of the last line, including torn ones; 0 before the first.
    public private(set) var lineNumber = 0
    public private(set) var tornLines = 0

    private var rules = SequenceRules()
    /// The start of a line whose newline has not arrived.
    private var partialLine: [UInt8] = []
    /// The error of the last line: it is torn if a restart line follows, damaged otherwise.
    private var suspect: OracleError?

    private let maximumLineSizeBytes: Int

    public init(maximumLineSizeBytes: Int = OracleReader.maximumLineSizeBytes) {
        self.maximumLineSizeBytes = maximumLineSizeBytes
    }

    /// The number of unanswered operations; 0 in a plain oracle.
    public var inFlight: Int { rules.inFlight }

    /// Processes a chunk. Calls `each` with every line that it completes, and the line's number.
    public mutating func read(
        _ chunk: Span<UInt8>, each: (OracleLine, Int) throws(OracleError) -> Void
    ) throws(OracleError) {
        var start = 0
        while let newline = chunk.newline(from: start) {
            if partialLine.isEmpty {
                try parse(chunk.extracting(start..<newline), each)
            } else {
                appendPartial(chunk, from: start, to: newline)
                let line = partialLine
                partialLine.removeAll(keepingCapacity: true)
                try parse(line.span, each)
            }
            start = newline + 1
        }
        appendPartial(chunk, from: start, to: chunk.count)
        guard partialLine.count <= maximumLineSizeBytes else {
            throw .meaning(
                line: lineNumber + 1, reason: "longer than \(maximumLineSizeBytes) bytes: not an oracle")
        }
    }

    /// Ends the stream. Parses a last line without a newline.
    public mutating func finish(each: (OracleLine, Int) throws(OracleError) -> Void) throws(OracleError) {
        if let suspect { throw suspect }
        guard !partialLine.isEmpty else { return }
        let line = partialLine
        partialLine = []
        try parse(line.span, each)
        guard suspect != nil else { return }
        suspect = nil
        tornLines += 1
    }

    /// All lines of a complete oracle, with their numbers.
    public static func lines(of text: [UInt8]) throws(OracleError) -> [(line: OracleLine, number: Int)] {
        var lines: [(line: OracleLine, number: Int)] = []
        var reader = OracleReader()
        try reader.read(text.span) { line, number throws(OracleError) in lines.append((line, number)) }
        try reader.finish { line, number throws(OracleError) in lines.append((line, number)) }
        return lines
    }

    private mutating func parse(
        _ text: Span<UInt8>, _ each: (OracleLine, Int) throws(OracleError) -> Void
    ) throws(OracleError) {
        lineNumber += 1
        let line: OracleLine
        do throws(OracleError) {
            line = try OracleLine.parse(text, line: lineNumber)
        } catch {
            if let suspect { throw suspect }
            guard case .truncated = error else { throw error }
            suspect = error
            return
        }
        let isAfterTornLine = suspect != nil
        if let suspect {
            guard line == .restart else { throw suspect }
            self.suspect = nil
            tornLines += 1
        }
        try rules.check(line, at: lineNumber, afterTornLine: isAfterTornLine)
        try each(line, lineNumber)
    }

    private mutating func appendPartial(_ chunk: Span<UInt8>, from start: Int, to end: Int) {
        chunk.extracting(start..<end).withUnsafeBufferPointer { partialLine.append(contentsOf: $0) }
    }
}

extension OracleLine {
    /// The text of a restart line for an oracle whose last byte is `last` (nil for an empty one). Starts with a newline
    /// if it must terminate a torn line.
    public static func restartText(after last: UInt8?) -> [UInt8] {
        (last == nil || last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]) + OracleLine.restart.encoded
    }

    /// The offset after the last restart line of `text`; nil when there is none.
    package static func endOfLastRestart(in text: [UInt8]) -> Int? {
        let restart = OracleLine.restart.encoded.dropLast()
        var (start, end) = (0, Int?.none)
        while let newline = text.span.newline(from: start) {
            if newline - start == restart.count, text[start..<newline].elementsEqual(restart) { end = newline + 1 }
            start = newline + 1
        }
        return end
    }
}

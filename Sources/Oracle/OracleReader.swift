import Bytes

/// Reads an oracle from chunks of bytes as they come: pure, one pass, memory for one line and what is in flight.
///
///     var reader = OracleReader()
///     try reader.read(chunk.span) { line, number throws(OracleError) in … }
///     try reader.finish { line, number throws(OracleError) in … }
///
/// A line that a dying writer cut short (it *ends* where more was expected) is tolerated and counted in `tornLines`
/// where a writer can die: at the end of the file and right before a restart line. Any other damage, and any number
/// that `SequenceRules` does not allow, is an error with its line; the reader is of no use after it.
/// A last line that lacks only its newline is whole.
///
/// A restart line is appended with `OracleLine.restartText(after:)`, which ends a torn line first.
public struct OracleReader: Sendable {
    /// What a line may be long at most unless told otherwise, so that a file that is no oracle cannot fill the memory.
    public static let maximumLineSizeBytes = 64 << 20

    /// The number of the last line that was read, torn ones included; 0 before the first.
    public private(set) var lineNumber = 0
    public private(set) var tornLines = 0

    private var rules = SequenceRules()
    /// The beginning of a line whose end has not come yet.
    private var carried: [UInt8] = []
    /// The error of a line that is torn if a restart follows, and damaged if anything else does.
    private var suspect: OracleError?

    private let maximumLineSizeBytes: Int

    public init(maximumLineSizeBytes: Int = OracleReader.maximumLineSizeBytes) {
        self.maximumLineSizeBytes = maximumLineSizeBytes
    }

    /// Operations that have begun and have no answer so far; 0 in a plain oracle.
    public var inFlight: Int { rules.inFlight }

    /// Hands `each` every line that `chunk` completes, with its number.
    public mutating func read(
        _ chunk: Span<UInt8>, each: (OracleLine, Int) throws(OracleError) -> Void
    ) throws(OracleError) {
        var start = 0
        while let newline = chunk.newline(from: start) {
            if carried.isEmpty {
                try take(chunk.extracting(start..<newline), each)
            } else {
                carry(chunk, from: start, to: newline)
                let line = carried
                carried.removeAll(keepingCapacity: true)
                try take(line.span, each)
            }
            start = newline + 1
        }
        carry(chunk, from: start, to: chunk.count)
        guard carried.count <= maximumLineSizeBytes else {
            throw .meaning(
                line: lineNumber + 1, reason: "longer than \(maximumLineSizeBytes) bytes: not an oracle")
        }
    }

    /// Says that no more bytes come: the last line, if it lacks its newline, is read now.
    public mutating func finish(each: (OracleLine, Int) throws(OracleError) -> Void) throws(OracleError) {
        if let suspect { throw suspect }
        guard !carried.isEmpty else { return }
        let line = carried
        carried = []
        try take(line.span, each)
        guard suspect != nil else { return }
        suspect = nil
        tornLines += 1
    }

    /// Every line of a whole oracle, with its number.
    public static func lines(of text: [UInt8]) throws(OracleError) -> [(line: OracleLine, number: Int)] {
        var lines: [(line: OracleLine, number: Int)] = []
        var reader = OracleReader()
        try reader.read(text.span) { line, number throws(OracleError) in lines.append((line, number)) }
        try reader.finish { line, number throws(OracleError) in lines.append((line, number)) }
        return lines
    }

    private mutating func take(
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

    private mutating func carry(_ chunk: Span<UInt8>, from start: Int, to end: Int) {
        chunk.extracting(start..<end).withUnsafeBufferPointer { carried.append(contentsOf: $0) }
    }
}

extension OracleLine {
    /// What to append to an oracle whose last byte is `last` (nil when it is empty) to write a restart line: a torn
    /// line is ended first.
    public static func restartText(after last: UInt8?) -> [UInt8] {
        (last == nil || last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]) + OracleLine.restart.encoded
    }

    /// Where the last restart line of `text` ends, behind its newline; nil when there is none.
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

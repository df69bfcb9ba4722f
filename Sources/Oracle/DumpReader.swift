import Bytes

/// Parses the dumps of a recover command from a stream of chunks. Pure; keeps one dump in memory.
///
/// A persistent recover command prints several dumps on one stream, each with an end line or error line. A stream that
/// stops without one, or contains anything else, counts as a failed recovery: a partial dump is never taken for a small
/// store.
public struct DumpReader: Sendable {
    private var lineNumber = 0
    private var partialLine: [UInt8] = []
    private var entries: [Observation.Entry] = []
    private var ownCheck: Observation.OwnCheck?
    /// A line was invalid, so the rest of the stream is ignored.
    private var isDamaged = false

    private let maximumLineSizeBytes: Int

    /// A line longer than `maximumLineSizeBytes` is an error, so that a command's output cannot fill the memory.
    public init(maximumLineSizeBytes: Int = OracleReader.maximumLineSizeBytes) {
        self.maximumLineSizeBytes = maximumLineSizeBytes
    }

    /// Whether a dump has started and not ended.
    public var isInsideDump: Bool { lineNumber > 0 || !partialLine.isEmpty }

    /// Processes a chunk and returns the recoveries that it completes. A damaged line is a failed recovery and ends the
    /// stream: restart the command with a new reader.
    public mutating func read(_ chunk: Span<UInt8>) -> [Recovery] {
        var recoveries: [Recovery] = []
        var start = 0
        while !isDamaged, let newline = chunk.newline(from: start) {
            let recovery: Recovery?
            if partialLine.isEmpty {
                recovery = parse(chunk.extracting(start..<newline))
            } else {
                appendPartial(chunk.extracting(start..<newline))
                recovery = parsePartial()
            }
            if let recovery { recoveries.append(recovery) }
            start = newline + 1
        }
        guard !isDamaged else { return recoveries }
        appendPartial(chunk.extracting(start..<chunk.count))
        if partialLine.count > maximumLineSizeBytes {
            isDamaged = true
            partialLine = []
            recoveries.append(
                .failed(reason: "dump unreadable: line \(lineNumber + 1) is longer than \(maximumLineSizeBytes) bytes"))
        }
        return recoveries
    }

    /// Ends the stream. Returns nil between two dumps or after damage; otherwise the last recovery, which has failed
    /// unless only its newline was missing. With `expectingDump` an empty stream is a failure.
    public mutating func finish(expectingDump: Bool) -> Recovery? {
        if !partialLine.isEmpty, let recovery = parsePartial() { return recovery }
        guard !isDamaged, isInsideDump || expectingDump else { return nil }
        let keys = entries.count.counted("key")
        return .failed(reason: "the dump ends after line \(lineNumber) without an end line (\(keys))")
    }

    /// The recovery in the complete output of a recover command that has exited.
    public static func recovery(of dump: [UInt8]) -> Recovery {
        var reader = DumpReader()
        let recoveries = reader.read(dump.span)
        let last = reader.finish(expectingDump: recoveries.isEmpty)
        guard recoveries.count + (last == nil ? 0 : 1) == 1 else {
            return .failed(reason: "dump unreadable: more after its end line")
        }
        return recoveries.first ?? last!
    }

    private mutating func appendPartial(_ part: Span<UInt8>) {
        part.withUnsafeBufferPointer { partialLine.append(contentsOf: $0) }
    }

    private mutating func parsePartial() -> Recovery? {
        let line = partialLine
        partialLine = []
        return parse(line.span)
    }

    private mutating func parse(_ text: Span<UInt8>) -> Recovery? {
        lineNumber += 1
        let line: DumpLine
        do throws(OracleError) {
            line = try DumpLine.parse(text, line: lineNumber)
        } catch {
            isDamaged = true
            return .failed(reason: "dump unreadable: \(error); the line is: \(Self.quoted(text))")
        }
        switch line {
        case .entry(let key, let payload):
            entries.append(Observation.Entry(key: key, payload: payload))
            return nil
        case .check(let answer):
            // A complaint counts, whatever else the checker says.
            if ownCheck == nil || ownCheck == .passed { ownCheck = answer }
            return nil
        case .error(let reason):
            endDump()
            return .failed(reason: reason)
        case .end:
            let (whole, answer) = (entries, ownCheck)
            endDump()
            do throws(Observation.DuplicateKey) {
                var observation = try Observation(whole)
                observation.ownCheck = answer
                return .opened(observation)
            } catch {
                return .failed(reason: "dump unreadable: key \(error.key) appears twice")
            }
        }
    }

    private static let quotedAtMostBytes = 120

    private static func quoted(_ text: Span<UInt8>) -> String {
        let start = text.extracting(0..<min(text.count, quotedAtMostBytes))
        return "\(start.withUnsafeBufferPointer { ByteString($0) })" + (text.count > quotedAtMostBytes ? "…" : "")
    }

    private mutating func endDump() {
        entries = []
        ownCheck = nil
        lineNumber = 0
    }
}

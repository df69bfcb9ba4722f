import Bytes

/// Reads the dumps of a recover command from chunks of bytes as they come. Pure; memory for one dump.
///
/// A persistent recover command prints one dump after another on the same stream; each ends with its end line or its
/// error line. A stream that stops without either is a store that did not open, and so is one that prints anything
/// else: half a dump is never taken for a small store.
public struct DumpReader: Sendable {
    private var lineNumber = 0
    private var carried: [UInt8] = []
    private var entries: [Observation.Entry] = []
    /// A line could not be read; the rest of the stream cannot be understood any more.
    private var isDamaged = false

    private let maximumLineSizeBytes: Int

    /// A line longer than `maximumLineSizeBytes` is no dump: what a command prints cannot fill the memory.
    public init(maximumLineSizeBytes: Int = OracleReader.maximumLineSizeBytes) {
        self.maximumLineSizeBytes = maximumLineSizeBytes
    }

    /// Whether a dump has begun and not ended.
    public var isInsideDump: Bool { lineNumber > 0 || !carried.isEmpty }

    /// The recoveries whose last line `chunk` completes. A damaged line is a failed recovery, and the last: the
    /// command behind such a stream is to be restarted, its reader replaced.
    public mutating func read(_ chunk: Span<UInt8>) -> [Recovery] {
        var recoveries: [Recovery] = []
        var start = 0
        while !isDamaged, let newline = chunk.newline(from: start) {
            let recovery: Recovery?
            if carried.isEmpty {
                recovery = take(chunk.extracting(start..<newline))
            } else {
                carry(chunk.extracting(start..<newline))
                recovery = takeCarried()
            }
            if let recovery { recoveries.append(recovery) }
            start = newline + 1
        }
        guard !isDamaged else { return recoveries }
        carry(chunk.extracting(start..<chunk.count))
        if carried.count > maximumLineSizeBytes {
            isDamaged = true
            carried = []
            recoveries.append(
                .failed(reason: "dump unreadable: line \(lineNumber + 1) is longer than \(maximumLineSizeBytes) bytes"))
        }
        return recoveries
    }

    /// Says that the stream has ended: nil when it ended between two dumps or was damaged (and has said so), else the
    /// last recovery, which failed unless only its newline was missing. `expectingDump` makes an empty stream a failure.
    public mutating func finish(expectingDump: Bool) -> Recovery? {
        if !carried.isEmpty, let recovery = takeCarried() { return recovery }
        guard !isDamaged, isInsideDump || expectingDump else { return nil }
        let keys = entries.count.counted("key")
        return .failed(reason: "the dump ends after line \(lineNumber) without an end line (\(keys))")
    }

    /// What the whole of `dump`, the output of a recover command that has exited, says.
    public static func recovery(of dump: [UInt8]) -> Recovery {
        var reader = DumpReader()
        let recoveries = reader.read(dump.span)
        let last = reader.finish(expectingDump: recoveries.isEmpty)
        guard recoveries.count + (last == nil ? 0 : 1) == 1 else {
            return .failed(reason: "dump unreadable: more after its end line")
        }
        return recoveries.first ?? last!
    }

    private mutating func carry(_ part: Span<UInt8>) {
        part.withUnsafeBufferPointer { carried.append(contentsOf: $0) }
    }

    private mutating func takeCarried() -> Recovery? {
        let line = carried
        carried = []
        return take(line.span)
    }

    private mutating func take(_ text: Span<UInt8>) -> Recovery? {
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
        case .error(let reason):
            endDump()
            return .failed(reason: reason)
        case .end:
            let whole = entries
            endDump()
            do throws(Observation.DuplicateKey) {
                return .opened(try Observation(whole))
            } catch {
                return .failed(reason: "dump unreadable: key \(error.key) is there twice")
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
        lineNumber = 0
    }
}

import Bytes
import Glibc
import Machine
import Oracle
import Storage

/// The oracle of a run over all its cycles: its file, and the validator that has read it. The text is not kept in
/// memory.
package struct OracleHistory {
    /// The oracle file, which is append-only.
    package let path: ByteString
    package private(set) var validator: Validator
    package private(set) var acknowledged = 0
    /// The number of bytes read from the file, and their CRC32C.
    package private(set) var takenBytes = 0
    private var checksum: UInt32 = 0
    private var reader = OracleReader()
    private var lastSeq: UInt64 = 0

    /// Creates a history with no line read yet. The file may be missing.
    ///
    /// - Parameter memory: the budget for spilling values, which also receives read failures.
    package init(_ path: ByteString, _ memory: MemoryGuard) {
        self.path = path
        validator = Validator(.everything, spillStore: OracleSpillStore(memory))
    }

    /// The number of lines read.
    package var lineCount: Int { reader.lineNumber }

    /// The number of operations begun but not answered.
    package var inFlight: Int { reader.inFlight }

    /// The sequence number of the next cycle's first operation.
    package var nextSeq: UInt64 { lastSeq + 1 }

    /// Reads the lines that a life of the store added. Truncates a torn last line from the file: it was never written
    /// completely.
    package mutating func readNewLines() throws {
        // The file is missing if no workload has written a line.
        guard takenBytes > 0 || RunFiles.exists(path) else { return }
        let end = try RunFiles.endOfLastLine(path)
        if end < RunFiles.size(of: path) { try RunFiles.truncate(path, to: end) }
        try readAll(upTo: end)
    }

    /// Reads the new complete lines of the file up to byte `end`, where a line ends. Throws if the bytes already read
    /// have changed.
    package mutating func readAll(upTo end: Int = .max) throws {
        var (place, known) = (0, UInt32(0))
        var isChanged = false
        try RunFiles.forEachChunk(of: path, followingLinks: false) { chunk in
            let mine = chunk[..<min(chunk.count, max(0, end - place))]
            let old = mine.prefix(max(0, takenBytes - place))
            known = old.withUnsafeBytes { CRC32C.checksum($0, extending: known) }
            place += old.count
            guard old.count < mine.count else { return }
            isChanged = isChanged || known != checksum
            guard !isChanged else { return }
            try take(Array(mine.dropFirst(old.count)))
            (place, known) = (takenBytes, checksum)
        }
        guard !isChanged, place == takenBytes, known == checksum else {
            throw RunError.harness("\(path) was changed by somebody else while the run wrote to it")
        }
    }

    /// Starts a new life of the store, whose recovery showed `observation`: it decides the operations in flight.
    /// Appends a restart line to the file.
    package mutating func restart(showing observation: Observation) throws {
        let line = OracleLine.restart.encoded
        try OutputFile.append(line, to: path)
        try readRestart(line, showing: observation)
    }

    /// Reads the file up to byte `end`. Its last line there is a restart, at which the store showed `observation`.
    package mutating func readAll(upTo end: Int, lastRestartShowing observation: Observation) throws {
        let restart = OracleLine.restart.encoded
        try readAll(upTo: end - restart.count)
        try readRestart(restart, showing: observation)
    }

    private mutating func take(_ bytes: [UInt8]) throws {
        do throws(OracleError) {
            try reader.read(bytes.span) { line, number throws(OracleError) in
                try validator.apply(line, at: number)
                if case .acknowledged = line { acknowledged += 1 }
                lastSeq = max(lastSeq, line.operation?.seq ?? 0)
            }
        } catch {
            throw OracleDamage(path: path, error: error)
        }
        count(bytes)
    }

    private mutating func readRestart(_ line: [UInt8], showing observation: Observation) throws {
        var number = 0
        try reader.read(line.span) { _, line throws(OracleError) in number = line }
        validator.resolve(by: observation, at: number)
        count(line)
    }

    private mutating func count(_ bytes: [UInt8]) {
        takenBytes += bytes.count
        checksum = bytes.withUnsafeBytes { CRC32C.checksum($0, extending: checksum) }
    }

    /// The file's prefix with the first `count` lines.
    package func text(firstLines count: Int) throws -> OraclePrefix {
        guard count < lineCount else { return OraclePrefix(path: path, countBytes: takenBytes) }
        return OraclePrefix(path: path, countBytes: try RunFiles.end(ofLine: count, in: path))
    }
}

/// A prefix of an oracle file.
package struct OraclePrefix: Sendable {
    package var path: ByteString
    package var countBytes: Int

    package init(path: ByteString, countBytes: Int) {
        self.path = path
        self.countBytes = countBytes
    }

    /// Writes the prefix to a new file.
    package func copy(to file: ByteString) throws {
        let copy = try OutputFile(file, .create, permissions: 0o600, isDurable: false, followsLinks: false)
        var left = countBytes
        if countBytes > 0 {
            try RunFiles.forEachChunk(of: path, followingLinks: false) { chunk in
                let part = chunk.prefix(left)
                left -= part.count
                if !part.isEmpty { try copy.write(Array(part)) }
            }
        }
        try copy.commit()
    }
}

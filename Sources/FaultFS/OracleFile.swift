import CPlatform
import Glibc

/// `.faultline/oracle`: each line appended to it becomes an event of the trace at its place among the operations, and
/// goes to a file outside the mount. So the oracle is kept off the storage under test, and stops with the power.
///
/// A line counts once its newline is there; until then its beginning is held back, so that the file outside never
/// ends in half a line because the power went. A line to which there is an objection is refused (EINVAL). A sync of it is accepted and means nothing: it is no barrier.
final class OracleFile: ControlFile, @unchecked Sendable {
    private let recorder: Recorder
    private let outside: Descriptor
    private let lock = Lock()
    private var beginning: [UInt8] = []
    private var takenLines = 0
    private let objection: Objection?
    private var lastObjection: String?

    /// What speaks against a line, given without its newline and with its number.
    typealias Objection = @Sendable (_ line: ArraySlice<UInt8>, _ number: Int) -> String?

    init(_ recorder: Recorder, outside: Descriptor, objection: Objection?) {
        self.recorder = recorder
        self.outside = outside
        self.objection = objection
    }

    /// Why the last line that was refused was.
    var refusal: String? { lock.withLock { lastObjection } }

    var sizeBytes: Int64 {
        var attributes = stat()
        return faultline_fstat(outside.number, &attributes) == 0 ? Int64(attributes.st_size) : 0
    }

    func open(flags: Int32) throws(Errno) -> ControlHandle { OracleHandle(self) }

    /// It is append-only: a shell's `>` appends as `>>` does.
    func truncate() throws(Errno) {}

    /// Takes the lines in order. When the power goes between two of them, the write is short.
    func append(_ data: UnsafeRawBufferPointer) throws(Errno) -> Int {
        lock.lock()
        defer { lock.unlock() }
        if recorder.isFrozen { throw Errno(EIO) }
        var taken = 0
        while let end = data[taken...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = beginning + data[taken...end]
            do throws(Errno) {
                try append(line: line)
                takenLines += 1
            } catch {
                // What is refused is refused whole.
                if error.code == EINVAL { beginning = [] }
                if taken == 0 { throw error }
                return taken
            }
            beginning = []
            taken = end + 1
        }
        beginning += data[taken...]
        return data.count
    }

    private func append(line: [UInt8]) throws(Errno) {
        if let objection = objection?(line.dropLast(), takenLines + 1) {
            lastObjection = objection
            throw Errno(EINVAL)
        }
        let refusal: Errno? = line.withUnsafeBytes { bytes in
            do throws(Errno) {
                try recorder.oracle(UnsafeRawBufferPointer(rebasing: bytes.dropLast())) { () throws(Errno) in
                    try writeOutside(bytes)
                }
                return nil
            } catch {
                return error
            }
        }
        if let refusal { throw refusal }
    }

    private func writeOutside(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest)
            rest = rest.dropFirst(try Errno.check(faultline_append(outside.number, part.baseAddress, part.count)))
        }
    }

    fileprivate func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
        try Errno.check(faultline_pread(outside.number, buffer.baseAddress, buffer.count, off_t(offset)))
    }

    private final class OracleHandle: ControlHandle, @unchecked Sendable {
        let file: OracleFile
        init(_ file: OracleFile) { self.file = file }

        override func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
            try file.read(buffer, offset: offset)
        }

        override func write(_ data: UnsafeRawBufferPointer) throws(Errno) -> Int { try file.append(data) }
    }
}

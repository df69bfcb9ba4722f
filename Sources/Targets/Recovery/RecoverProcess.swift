import Bytes
import Glibc
import Oracle
import Platform

/// A recover process and its stream of dumps. Used by one thread at a time.
final class RecoverProcess: Sendable {
    /// The maximum size of an answer. A larger one is a runaway store.
    static let answerLimitBytes = 1 << 30

    private let process: ChildProcess
    private let output: SharedDescriptor
    private let input: SharedDescriptor?
    private let reader = Guarded(DumpReader())

    /// Where the server of its directories listens; nil for a store without one.
    let endpoint: ServerEndpoint?

    init(_ command: Command, _ endpoint: ServerEndpoint? = nil) throws(TargetError) {
        self.endpoint = endpoint
        var command = command
        command.output = .pipe
        process = try ProcessRunner.start(command)
        guard let output = process.output else { throw .system(call: "pipe", path: nil, errno: EBADF) }
        self.output = output
        input = process.input
    }

    // Errors cannot be reported here; use `kill` or `end` for that.
    deinit { try? process.killTree() }

    /// The next item of its output.
    enum Answer {
        /// A complete dump; another may follow.
        case dump(Recovery)
        /// The output is invalid or too long.
        case invalid(reason: String)
        /// It closed its output or ended; `partial` is the incomplete dump, if any.
        case ended(partial: Recovery?)
        case timedOut
    }

    /// Sends `directory` to a persistent process. False when it no longer reads, or has printed unrequested output,
    /// which must not be taken for the answer.
    func request(_ directory: ByteString) -> Bool {
        process.forgetErrors()
        let now = Deadline(afterMilliseconds: 0)
        guard let input, (try? now.waitReadable([output.rawValue])) == [false] else { return false }
        return (try? input.writeAll(directory.bytes + [UInt8(ascii: "\n")])) != nil
    }

    /// Sends `directory` as the last request and closes its input. A process that does not read is detected by its
    /// answer.
    func requestLast(_ directory: ByteString) {
        _ = request(directory)
        input?.close()
    }

    func answer(until deadline: Deadline) throws(TargetError) -> Answer {
        try reader.withLock { reader throws(TargetError) in
            var buffer = [UInt8](repeating: 0, count: 16384)
            var totalBytes = 0
            while true {
                guard let count = try fill(&buffer, until: deadline) else { return .timedOut }
                guard count > 0 else {
                    // The last line may lack only its newline.
                    let last = reader.finish(expectingDump: false)
                    if case .opened = last { return .dump(last!) }
                    return .ended(partial: last)
                }
                let dumps = reader.read(buffer.span.extracting(0..<count))
                if let dump = dumps.first {
                    guard reader.isInsideDump || dumps.count > 1 else { return .dump(dump) }
                    if case .failed(let reason) = dump, dumps.count == 1 { return .invalid(reason: reason) }
                    return .invalid(reason: "it prints more after the end line")
                }
                totalBytes += count
                guard totalBytes <= RecoverProcess.answerLimitBytes else {
                    return .invalid(reason: "it prints more than \(RecoverProcess.answerLimitBytes) bytes")
                }
            }
        }
    }

    /// Reads available output. 0 at its end; nil after the deadline.
    private func fill(_ buffer: inout [UInt8], until deadline: Deadline) throws(TargetError) -> Int? {
        while true {
            // A descendant may keep its output open, so the end of the process also ends the output.
            let ready = try TargetError.naming("poll") { () throws(Errno) in
                try deadline.waitReadable([output.rawValue, process.exited.descriptor.rawValue])
            }
            guard ready[0] else { return ready[1] ? 0 : nil }
            let count = read(output.rawValue, &buffer, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw .system("read") }
        }
    }

    /// Whether the process or a descendant may have something in the directory open.
    func mayHold(_ directory: ByteString) -> Bool {
        guard let descendants = try? ProcessTable.descendants(of: process.processID) else { return true }
        return ([process.processID] + descendants).contains { OpenFiles.mayHold(directory, $0) }
    }

    /// Waits for its end, then kills its descendants. nil after the deadline.
    func end(until deadline: Deadline) throws(TargetError) -> Termination? {
        let termination = try process.wait(until: deadline)
        try process.killTree()
        return termination
    }

    func kill() throws(TargetError) { try process.killTree() }

    /// Its standard error since the last request, on one line, for the end of a sentence.
    var errorOutput: String {
        process.drainErrors()
        let said = ByteString(process.standardError.bytes).said
        return said.isEmpty ? "" : ": \(said)"
    }
}

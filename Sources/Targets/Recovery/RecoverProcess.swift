import Bytes
import Glibc
import Oracle
import Platform

/// One process of a recover command and the stream of dumps that it prints. It answers one thread at a time.
final class RecoverProcess: Sendable {
    /// More than this in one answer is a store gone wild, not a state to compare.
    static let answerLimitBytes = 1 << 30

    private let process: ChildProcess
    private let output: SharedDescriptor
    private let input: SharedDescriptor?
    private let reader = Guarded(DumpReader())

    init(_ command: Command) throws(TargetError) {
        var command = command
        command.output = .pipe
        process = try ProcessRunner.start(command)
        guard let output = process.output else { throw .system(call: "pipe", path: nil, errno: EBADF) }
        self.output = output
        input = process.input
    }

    // Nothing can be reported from here; `kill` and `end` can.
    deinit { try? process.killTree() }

    /// What its output said next.
    enum Answer {
        /// One dump; the stream stands at the beginning of another.
        case dump(Recovery)
        /// What it prints cannot be understood any more, or is too much.
        case garbage(reason: String)
        /// It closed its output or ended; `unfinished` is what it had begun to say.
        case over(unfinished: Recovery?)
        case late
    }

    /// Asks a persistent process for `directory`. False when it does not listen any more, or has said something that
    /// nobody asked for: that must not pass for the answer.
    func ask(_ directory: ByteString) -> Bool {
        process.forgetErrors()
        let now = Deadline(afterMilliseconds: 0)
        guard let input, (try? now.waitReadable([output.rawValue])) == [false] else { return false }
        return (try? input.writeAll(directory.bytes + [UInt8(ascii: "\n")])) != nil
    }

    /// Asks it for `directory` and for nothing after that: its input ends. One that does not listen is found out by its
    /// answer.
    func askOnly(_ directory: ByteString) {
        _ = ask(directory)
        input?.close()
    }

    func answer(until deadline: Deadline) throws(TargetError) -> Answer {
        try reader.withLock { reader throws(TargetError) in
            var buffer = [UInt8](repeating: 0, count: 16384)
            var totalBytes = 0
            while true {
                guard let count = try fill(&buffer, until: deadline) else { return .late }
                guard count > 0 else {
                    // Only the newline of the last line may be missing.
                    let last = reader.finish(expectingDump: false)
                    if case .opened = last { return .dump(last!) }
                    return .over(unfinished: last)
                }
                let dumps = reader.read(buffer.span.extracting(0..<count))
                if let dump = dumps.first {
                    guard reader.isInsideDump || dumps.count > 1 else { return .dump(dump) }
                    if case .failed(let reason) = dump, dumps.count == 1 { return .garbage(reason: reason) }
                    return .garbage(reason: "it prints more after the end line")
                }
                totalBytes += count
                guard totalBytes <= RecoverProcess.answerLimitBytes else {
                    return .garbage(reason: "it prints more than \(RecoverProcess.answerLimitBytes) bytes")
                }
            }
        }
    }

    /// Reads what is there; nothing at the end of the output, nil when nothing came in time.
    private func fill(_ buffer: inout [UInt8], until deadline: Deadline) throws(TargetError) -> Int? {
        while true {
            // Something that it started may hold its output open for ever, so its own end counts too.
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

    /// Waits for its end and kills what is left of it. Nil when it did not end in time.
    func end(until deadline: Deadline) throws(TargetError) -> Termination? {
        let termination = try process.wait(until: deadline)
        try process.killTree()
        return termination
    }

    func kill() throws(TargetError) { try process.killTree() }

    /// Its standard error since the last question, in one line, as the end of a sentence.
    var complaints: String {
        process.drainErrors()
        let said = ByteString(process.standardError.bytes).said
        return said.isEmpty ? "" : ": \(said)"
    }
}

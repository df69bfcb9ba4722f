import Bytes
import Glibc
import Platform

/// A control file that takes commands, such as `.faultline/control`. Each line of a write is a command and runs before
/// write(2) returns. Reading the file returns the answers to the last write. A rejected command fails the write with
/// EINVAL; the reason is the answer, and also appears in `.faultline/status`.
///
/// A write holds complete commands: its last line needs no newline, and a later write does not continue it. All
/// commands of a write are checked before the first one runs; one bad command rejects the whole write. A lone newline
/// in the next write (unbuffered programs send that) ends the previous command and is not an empty command.
final class CommandFile: ControlFile, @unchecked Sendable {
    private let name: String
    private let execute: @Sendable ([String]) throws(CommandError) -> String
    private let takesOneCommand: Bool
    private let initialText: @Sendable () -> String
    private let rejectedWrites: RejectedWriteLog
    private let lock = Lock()
    private var lastAnswer: [UInt8]?

    /// - Parameters:
    ///   - name: the file's name in the status.
    ///   - takesOneCommand: treats a whole write as one command, possibly empty, with newlines as blanks.
    ///   - initialText: read from the file before the first write.
    ///   - execute: runs all commands of one write, or none, and returns the answers.
    init(
        _ name: String, rejectedWrites: RejectedWriteLog, takesOneCommand: Bool = false,
        initialText: @escaping @Sendable () -> String = { "" },
        _ execute: @escaping @Sendable (_ commands: [String]) throws(CommandError) -> String
    ) {
        self.name = name
        self.rejectedWrites = rejectedWrites
        self.takesOneCommand = takesOneCommand
        self.initialText = initialText
        self.execute = execute
    }

    /// Unknown before it is read, so 0, as in procfs.
    var sizeBytes: Int64 { 0 }

    func open(flags: Int32) throws(Errno) -> ControlHandle { CommandHandle(self) }

    func truncate() throws(Errno) {}

    private final class CommandHandle: ControlHandle, @unchecked Sendable {
        private let file: CommandFile
        private let lock = Lock()
        private var answer: [UInt8]?
        /// The last write had no final newline: a leading newline of the next write belongs to it.
        private var lacksNewline = false

        init(_ file: CommandFile) { self.file = file }

        override func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
            let answer = lock.withLock { self.answer } ?? file.lock.withLock { file.lastAnswer }
            return serve(answer ?? Array(file.initialText().utf8), buffer, offset: offset)
        }

        override func write(_ data: UnsafeRawBufferPointer) throws(Errno) -> Int {
            try lock.withLock { () throws(Errno) in
                let newline = UInt8(ascii: "\n")
                var text = data[...]
                if lacksNewline, text.first == newline { text.removeFirst() }
                lacksNewline = data.last != newline
                guard !text.isEmpty else { return }
                if text.last == newline { text.removeLast() }
                let lines = text.split(separator: newline).map { String(decoding: $0, as: UTF8.self) }
                if file.takesOneCommand {
                    try run([lines.joined(separator: " ")])
                } else if !lines.isEmpty {
                    try run(lines)
                }
            }
            return data.count
        }

        private func run(_ commands: [String]) throws(Errno) {
            var answers: String
            var failure: CommandError?
            do throws(CommandError) {
                answers = try file.execute(commands)
            } catch {
                answers = "error: \(error.reason)"
                failure = error
            }
            answers += "\n"
            answer = Array(answers.utf8)
            file.lock.withLock { [answer] in file.lastAnswer = answer }
            guard let failure else { return }
            file.rejectedWrites.note("\(file.name)-refused", failure.reason)
            throw Errno(EINVAL)
        }
    }
}

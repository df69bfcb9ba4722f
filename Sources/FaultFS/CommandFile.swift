import Bytes
import Glibc

/// `.faultline/control` and its like: each line written to it is a command, carried out before write(2) returns; reading
/// it gives the answers of the last write. EINVAL for a command that is refused, with the reason as its answer and in
/// the status.
///
/// A write holds whole commands: its last line needs no newline and is not continued by a later write, so that nothing
/// is ever accepted and not done. All commands of a write are judged before the first is carried out: one that is no
/// command, and none of them is. A newline that follows in a write of its own, as unbuffered programs send it, ends the command before it.
final class CommandFile: ControlFile, @unchecked Sendable {
    private let name: String
    private let carryOut: @Sendable ([String]) throws(Refusal) -> String
    private let takesOneCommand: Bool
    private let initially: @Sendable () -> String
    private let refusals: RefusalLog
    private let lock = Lock()
    private var lastAnswer: [UInt8]?

    /// - Parameters:
    ///   - name: what the status calls it.
    ///   - takesOneCommand: whether a write is one command, which may be empty, and its newlines are blanks.
    ///   - initially: what is read as long as nothing was written.
    ///   - carryOut: carries out the commands of one write, or none of them, and returns the answers.
    init(
        _ name: String, refusals: RefusalLog, takesOneCommand: Bool = false,
        initially: @escaping @Sendable () -> String = { "" },
        _ carryOut: @escaping @Sendable (_ commands: [String]) throws(Refusal) -> String
    ) {
        self.name = name
        self.refusals = refusals
        self.takesOneCommand = takesOneCommand
        self.initially = initially
        self.carryOut = carryOut
    }

    /// Not known before it is read; as in procfs.
    var sizeBytes: Int64 { 0 }

    func open(flags: Int32) throws(Errno) -> ControlHandle { CommandHandle(self) }

    func truncate() throws(Errno) {}

    private final class CommandHandle: ControlHandle, @unchecked Sendable {
        private let file: CommandFile
        private let lock = Lock()
        private var answer: [UInt8]?
        /// The last write did not end with a newline: one that comes now belongs to it.
        private var lacksNewline = false

        init(_ file: CommandFile) { self.file = file }

        override func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
            let answer = lock.withLock { self.answer } ?? file.lock.withLock { file.lastAnswer }
            return serve(answer ?? Array(file.initially().utf8), buffer, offset: offset)
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
            var refusal: Refusal?
            do throws(Refusal) {
                answers = try file.carryOut(commands)
            } catch {
                answers = "error: \(error.reason)"
                refusal = error
            }
            answers += "\n"
            answer = Array(answers.utf8)
            file.lock.withLock { [answer] in file.lastAnswer = answer }
            guard let refusal else { return }
            file.refusals.note("\(file.name)-refused", refusal.reason)
            throw Errno(EINVAL)
        }
    }
}

/// Why a command is not carried out.
struct Refusal: Error {
    var reason: String

    /// What somebody wrote, as far as a line of an answer has room for it.
    static func shown(_ text: String) -> String {
        let shown = text.utf8.prefix(80)
        return "\(ByteString(shown))" + (shown.count < text.utf8.count ? " …" : "")
    }
}

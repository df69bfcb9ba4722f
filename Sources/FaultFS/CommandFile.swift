import Bytes
import Glibc

/// `.faultline/control` and its like: each line written to it is a command, carried out before write(2) returns; reading
/// it gives the answers of the last write. EINVAL for a command that is refused, with the reason as its answer and in
/// the status.
///
/// A write holds whole commands: its last line needs no newline and is not continued by a later write, so that nothing
/// is ever accepted and not done. Several commands in a write are carried out in order; the first that is refused ends
/// its write. A newline that follows in a write of its own, as unbuffered programs send it, ends the command before it.
final class CommandFile: ControlFile, @unchecked Sendable {
    private let name: String
    private let carryOut: @Sendable (String) throws(Refusal) -> String
    private let takesEmptyLines: Bool
    private let initially: @Sendable () -> String
    private let refusals: RefusalLog
    private let lock = Lock()
    private var lastAnswer: [UInt8]?

    /// `name`: what the status calls it. `initially`: what is read as long as nothing was written.
    init(
        _ name: String, refusals: RefusalLog, takesEmptyLines: Bool = false,
        initially: @escaping @Sendable () -> String = { "" },
        _ carryOut: @escaping @Sendable (String) throws(Refusal) -> String
    ) {
        self.name = name
        self.refusals = refusals
        self.takesEmptyLines = takesEmptyLines
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
                let lines = text.split(separator: newline, omittingEmptySubsequences: !file.takesEmptyLines)
                if !lines.isEmpty { try run(lines) }
            }
            return data.count
        }

        private func run(_ lines: [Slice<UnsafeRawBufferPointer>]) throws(Errno) {
            var answers = ""
            var refusal: Refusal?
            for line in lines where refusal == nil {
                do throws(Refusal) {
                    answers += try file.carryOut(String(decoding: line, as: UTF8.self)) + "\n"
                } catch {
                    answers += "error: \(error.reason)\n"
                    refusal = error
                }
            }
            answer = Array(answers.utf8)
            file.lock.withLock { file.lastAnswer = Array(answers.utf8) }
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

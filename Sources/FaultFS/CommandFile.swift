import Glibc

/// `.faultline/control` and its like: a line written to it is a command, carried out before write(2) returns; reading it
/// gives the answers of the last write. EINVAL for a command that is refused, with the reason as its answer.
///
/// Several commands in a write, and commands that come in pieces, are taken line by line; the first that is refused
/// ends its write. A last line without a newline is carried out when the file is closed.
final class CommandFile: ControlFile, @unchecked Sendable {
    private let carryOut: @Sendable (String) throws(Refusal) -> String
    private let takesEmptyLines: Bool
    private let initially: @Sendable () -> String
    private let lock = Lock()
    private var lastAnswer: [UInt8]?

    /// `initially`: what is read as long as nothing was written.
    init(
        takesEmptyLines: Bool = false, initially: @escaping @Sendable () -> String = { "" },
        _ carryOut: @escaping @Sendable (String) throws(Refusal) -> String
    ) {
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
        private var pending: [UInt8] = []
        private var answer: [UInt8]?

        init(_ file: CommandFile) { self.file = file }

        override func read(_ buffer: UnsafeMutableRawBufferPointer, offset: Int64) throws(Errno) -> Int {
            let answer = lock.withLock { self.answer } ?? file.lock.withLock { file.lastAnswer }
            return serve(answer ?? Array(file.initially().utf8), buffer, offset: offset)
        }

        override func write(_ data: UnsafeRawBufferPointer) throws(Errno) -> Int {
            try lock.withLock { () throws(Errno) in
                pending += data
                guard let end = pending.lastIndex(of: UInt8(ascii: "\n")) else { return }
                let lines = Array(pending[..<end])
                pending.removeSubrange(...end)
                try run(lines)
            }
            return data.count
        }

        override func flush() throws(Errno) {
            try lock.withLock { () throws(Errno) in
                guard !pending.isEmpty else { return }
                let line = pending
                pending = []
                try run(line)
            }
        }

        private func run(_ text: [UInt8]) throws(Errno) {
            var answers = ""
            var refused = false
            let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: !file.takesEmptyLines)
            for line in lines where !refused {
                do throws(Refusal) {
                    answers += try file.carryOut(String(decoding: line, as: UTF8.self)) + "\n"
                } catch {
                    answers += "error: \(error.reason)\n"
                    refused = true
                }
            }
            answer = Array(answers.utf8)
            file.lock.withLock { file.lastAnswer = Array(answers.utf8) }
            if refused { throw Errno(EINVAL) }
        }
    }
}

/// Why a command is not carried out.
struct Refusal: Error {
    var reason: String
}

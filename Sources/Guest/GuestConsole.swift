import Bytes

/// The text of a guest's serial console.
struct GuestConsole {
    /// Without blank lines and control characters.
    let lines: [String]

    private static let keptLines = 30
    /// Lines before a panic that are kept with it: the fault that led to it.
    private static let linesBeforePanic = 3
    /// Of a longer text, only the end is looked at.
    private static let keptBytes = 1 << 18

    init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes.suffix(Self.keptBytes), as: UTF8.self)
        lines = text.split(whereSeparator: \.isNewline).map { line in
            line.split(whereSeparator: \.isWhitespace).joined(separator: " ").printable
        }.filter { !$0.isEmpty }
    }

    /// The console of a guest whose file is at `path`; empty if there is none.
    init(at path: ByteString) {
        let size = (try? GuestFile.read(path, followingLinks: false)) ?? []
        self.init(size)
    }

    /// The last lines. If the kernel panicked, its own line is among them, whatever it printed afterwards.
    var tail: [String] {
        let last = lines.suffix(Self.keptLines)
        guard let panicIndex, panicIndex < last.startIndex else { return Array(last) }
        let first = lines[max(0, panicIndex - Self.linesBeforePanic)...panicIndex]
        return first + ["…"] + last.suffix(Self.keptLines - first.count - 1)
    }

    /// The line in which the kernel says that it gives up.
    var panic: String? { panicIndex.map { lines[$0] } }

    private var panicIndex: Int? { lines.firstIndex { $0.contains("Kernel panic - not syncing") } }

    /// The first line in which the kernel says which process it killed for want of memory.
    var outOfMemory: String? {
        lines.first { $0.contains("Out of memory: Killed process") || $0.contains("Out of memory and no killable") }
    }
}

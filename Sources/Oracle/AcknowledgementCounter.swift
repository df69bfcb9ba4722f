import Bytes

import func Glibc.memchr

/// Counts the acknowledgements in an oracle while a workload writes it, at the speed of memchr(3).
///
/// It does not parse lines; use `OracleReader` for that. A line is an acknowledgement if it has a `seq` and no `phase`.
/// Base64 contains no quotes, so every quote belongs to a field name or a short value: the scan jumps from quote to
/// quote and never visits payload bytes.
///
/// A line counts once its newline has arrived. Pure; not thread safe.
package struct AcknowledgementCounter: Sendable {
    package private(set) var count = 0
    /// Whether the last line was not an acknowledgement.
    package private(set) var isFollowed = false
    /// The start of a line whose newline has not arrived.
    private var partialLine: [UInt8] = []

    package init() {}

    /// Processes the next bytes of the oracle.
    package mutating func read(_ bytes: Span<UInt8>) {
        var start = 0
        while let newline = bytes.newline(from: start) {
            let end = bytes.extracting(start..<newline)
            if partialLine.isEmpty {
                note(acknowledges: Self.acknowledges(end))
            } else {
                appendPartial(end)
                note(acknowledges: Self.acknowledges(partialLine.span))
                partialLine.removeAll(keepingCapacity: true)
            }
            start = newline + 1
        }
        appendPartial(bytes.extracting(start..<bytes.count))
    }

    private mutating func note(acknowledges: Bool) {
        if acknowledges { count += 1 }
        isFollowed = !acknowledges
    }

    private mutating func appendPartial(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { partialLine.append(contentsOf: $0) }
    }

    private static func acknowledges(_ line: Span<UInt8>) -> Bool {
        line.withUnsafeBytes { line in
            guard let base = line.baseAddress else { return false }
            var (hasSeq, offset) = (false, 0)
            while let found = memchr(base + offset, Int32(UInt8(ascii: "\"")), line.count - offset) {
                offset = UnsafeRawPointer(found) - base
                let rest = UnsafeRawBufferPointer(rebasing: line[offset...])
                if rest.starts(with: #""phase""#) { return false }
                hasSeq = hasSeq || rest.starts(with: #""seq""#)
                offset += 1
            }
            return hasSeq
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func starts(with text: StaticString) -> Bool {
        text.withUTF8Buffer { text in
            count >= text.count && UnsafeRawBufferPointer(rebasing: self[..<text.count]).isSame(as: .init(text))
        }
    }
}

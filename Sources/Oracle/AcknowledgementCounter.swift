import Bytes
import func Glibc.memchr

/// Counts the acknowledgements in an oracle while a workload writes it, at the speed of memchr(3).
///
/// It does not parse: whoever needs the operations uses `OracleReader`. A line acknowledges when it names a `seq` and
/// no `phase`. Keys and payloads are base64, which has no quotes, so every quote belongs to a field's name or to a
/// short value; the search goes from quote to quote and never looks at a payload byte by byte.
///
/// A line counts once its newline is there. Pure; not thread safe.
package struct AcknowledgementCounter: Sendable {
    package private(set) var count = 0
    /// Whether another line came behind the last acknowledgement.
    package private(set) var isFollowed = false
    /// The beginning of a line whose newline has not come yet.
    private var beginning: [UInt8] = []

    package init() {}

    /// Takes the next bytes of the oracle.
    package mutating func read(_ bytes: Span<UInt8>) {
        var start = 0
        while let newline = bytes.newline(from: start) {
            let end = bytes.extracting(start..<newline)
            if beginning.isEmpty {
                note(acknowledges: Self.acknowledges(end))
            } else {
                carry(end)
                note(acknowledges: Self.acknowledges(beginning.span))
                beginning.removeAll(keepingCapacity: true)
            }
            start = newline + 1
        }
        carry(bytes.extracting(start..<bytes.count))
    }

    private mutating func note(acknowledges: Bool) {
        if acknowledges { count += 1 }
        isFollowed = !acknowledges
    }

    private mutating func carry(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { beginning.append(contentsOf: $0) }
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

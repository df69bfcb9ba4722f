import Bytes
import Machine
import Oracle

/// An invalid line in an oracle file. The workload that wrote it is at fault, not the store.
package struct OracleDamage: Error {
    package var path: ByteString
    package var error: OracleError
    /// The start of the line (`shownBytes`); nil if it cannot be read.
    package var text: String?

    private static let shownBytes = 200

    package init(path: ByteString, error: OracleError) {
        self.path = path
        self.error = error
        text = OracleText.line(error.line, of: path).map { ByteString($0.prefix(Self.shownBytes)).description }
    }
}

extension OracleDamage: CustomStringConvertible {
    package var description: String {
        let quoted = text.map { "; the line is: \($0)" } ?? ""
        return
            "\(path): \(error)\(quoted) (the workload that wrote it is at fault, not the store: docs/oracle-format.md)"
    }
}

/// Reads lines of an oracle file verbatim.
package enum OracleText {
    /// The line with this number, from 1; nil if it does not exist.
    package static func line(_ number: Int, of path: ByteString) -> [UInt8]? {
        guard let bytes = try? RunFiles.read(path), number > 0 else { return nil }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: number, omittingEmptySubsequences: false)
        return number <= lines.count ? Array(lines[number - 1]) : nil
    }

    private static let quotedAtMostBytes = 200

    /// `line 12 of …/oracle.jsonl is: {"op":"put",…}`
    package static func quotation(of number: Int, in path: ByteString) -> String {
        guard let line = line(number, of: path) else { return "line \(number) of \(path)" }
        return "line \(number) of \(path) is: \(ByteString(line.prefix(quotedAtMostBytes)))"
            + (line.count > quotedAtMostBytes ? "…" : "")
    }
}

import Bytes
import Machine
import Model
import Oracle
import Runs
import Targets

/// What somebody says of a finding who looked at it in the store's documentation or source. A file of notes stands beside a
/// matrix whose results become a page.
///
///     notes:
///       - target: redis
///         check: opens
///         loss: write appendonlydir/*      # a pattern; any of the finding's losses may match
///         judgement: undocumented          # or documented, or ours: a false alarm, which is mended
///         reason: two sentences
///         source: https://example.org/     # where that stands
package struct FindingNote: Sendable {
    package enum Judgement: String, CaseIterable, Sendable {
        /// The store's documentation allows it: no finding.
        case documented
        case undocumented
        /// A false alarm.
        case ours
    }

    /// The name of the target, as in its manifest.
    package var target: String
    /// nil for every check, or every loss.
    package var check: Check?
    package var loss: Glob?
    package var judgement: Judgement
    package var reason: String
    package var source: String?

    private static let keys = ["target", "check", "loss", "judgement", "reason", "source"]

    /// Reads a file of notes.
    package static func list(at path: ByteString) throws -> [FindingNote] {
        try list(try RunFiles.read(path), file: path)
    }

    /// Reads notes from the contents of a file.
    package static func list(_ text: [UInt8], file: ByteString) throws(YAMLError) -> [FindingNote] {
        let root = try YAMLValue(text, file: file).mapping("a file of notes", known: ["notes"])
        var notes: [FindingNote] = []
        for item in try root["notes"]?.list("notes") ?? [] { notes.append(try FindingNote(item)) }
        return notes
    }

    private init(_ value: YAMLValue) throws(YAMLError) {
        let fields = try value.mapping("a note", known: Self.keys)
        func required(_ key: String) throws(YAMLError) -> YAMLValue {
            guard let field = fields[key] else { throw value.error("a note needs a key \(key)") }
            return field
        }
        target = try required("target").text("target")
        reason = try required("reason").text("reason")
        let word = try required("judgement")
        guard let judgement = Judgement(rawValue: try word.text("judgement")) else {
            throw word.error(
                "judgement is one of \(Judgement.allCases.map(\.rawValue).joined(separator: ", ")), not "
                    + "\(try word.text("judgement"))")
        }
        self.judgement = judgement
        source = try fields["source"].map { (field) throws(YAMLError) in try field.text("source") }
        if let field = fields["check"] {
            let name = try field.text("check")
            guard let known = Check(rawValue: name) else { throw field.error("there is no check \(name)") }
            check = known
        }
        if let field = fields["loss"] {
            let text = try field.text("loss")
            do throws(GlobError) { loss = try Glob(parsing: ByteString(text)) } catch {
                throw field.error("'\(text)' is not a pattern: \(error)")
            }
        }
    }

    /// Whether the note is about this finding of the target.
    package func covers(_ finding: Finding, of target: String) -> Bool {
        guard self.target == target, check == nil || check == finding.check else { return false }
        guard let loss else { return true }
        return finding.lossKinds.contains { loss.matches(ByteString($0)) }
    }
}

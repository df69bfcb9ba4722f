import Bytes
import Model

/// Where a power cut is aimed, as `--cut-at` and the key `cut_at` of a matrix take it.
package enum CutAim: Hashable, Sendable {
    /// At a kind of moment, of which a seeded one is taken.
    case phase(Phase)
    /// Exactly here: a rule of the fault language whose fault is `crash`.
    case rule(Rule)

    /// A kind of moment in a store's life that every store has, or of which it can be said that it has none.
    package enum Phase: String, CaseIterable, Hashable, Sendable {
        /// Any event of the work.
        case work
        /// A new file gets its name in the middle of the work: a rotation, a journal, the copy that a compaction makes.
        case create
        /// A name moves: a new file takes the place of an old one.
        case rename
        /// A name goes: the end of a compaction, of a checkpoint, of a journal.
        case unlink
        /// The power goes at work, and once more while the store recovers from that.
        case recovery

        /// The operation that it is about.
        package var operation: Injection.OtherKind? {
            switch self {
            case .create: .create
            case .rename: .rename
            case .unlink: .unlink
            case .work, .recovery: nil
            }
        }
    }

    /// Those that a run takes beside the seeded moments of the work, if nobody aims.
    package static let usual: [CutAim] = [.phase(.create), .phase(.rename), .phase(.unlink), .phase(.recovery)]

    package init(parsing text: ByteString) throws(CutAimError) {
        if let phase = Phase.allCases.first(where: { ByteString($0.rawValue) == text }) {
            self = .phase(phase)
            return
        }
        guard text.description.contains("->") else {
            let words = Phase.allCases.map(\.rawValue).joined(separator: ", ")
            throw CutAimError(description: "'\(text)' is none of \(words), and no rule such as 'rename nth=2 -> crash'")
        }
        let rule: Rule
        do throws(RuleError) { rule = try Rule(parsing: text) } catch {
            throw CutAimError(description: "\(error)")
        }
        guard rule.cutsPower else {
            throw CutAimError(description: "'\(rule)' does not cut the power: its fault is not crash")
        }
        self = .rule(rule)
    }
}

extension CutAim: CustomStringConvertible {
    package var description: String {
        switch self {
        case .phase(let phase): phase.rawValue
        case .rule(let rule): rule.description
        }
    }
}

extension CutAim: Codable {
    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        do {
            try self.init(parsing: ByteString(value.decode(String.self)))
        } catch let error as CutAimError {
            throw DecodingError.dataCorruptedError(in: value, debugDescription: error.description)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(description)
    }
}

/// Why something is no aim.
package struct CutAimError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
}

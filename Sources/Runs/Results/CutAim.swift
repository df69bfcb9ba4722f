import Bytes
import Model

/// The aim of a power cut: the value of `--cut-at` and of a matrix's `cut_at`.
package enum CutAim: Hashable, Sendable {
    /// A kind of moment; the seed chooses one of that kind.
    case phase(Phase)
    /// An exact place: a rule whose fault is `crash`.
    case rule(Rule)

    /// A kind of moment in a store's life. A store that has none of a kind can be reported.
    package enum Phase: String, CaseIterable, Hashable, Sendable {
        /// Any event of the workload.
        case work
        /// A file is created during the workload: a rotation, a journal, a compaction's copy.
        case create
        /// A rename: a new file replaces an old one.
        case rename
        /// An unlink: the end of a compaction, a checkpoint or a journal.
        case unlink
        /// A power cut during the workload, and a second one during the recovery from it.
        case recovery

        /// The operation aimed at; nil for `work` and `recovery`.
        package var operation: Injection.OtherKind? {
            switch self {
            case .create: .create
            case .rename: .rename
            case .unlink: .unlink
            case .work, .recovery: nil
            }
        }
    }

    /// The default aims, used besides the seeded moments of the workload.
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

/// Why a text is not a valid aim.
package struct CutAimError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
}

import Block
import Oracle

/// Whether a finding was reproduced on a real filesystem of this kernel, or is only allowed by the model.
package struct Confirmation: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The number of crash states, at oracle positions, that broke the same check, and the number judged.
        case seen(states: Int, of: Int)
        /// None of the judged states did.
        case notSeen(of: Int, explored: RunResult.Explored?)
        case cannotBeSeen(reason: String)
    }

    /// An attempt to reproduce a finding on a filesystem.
    package enum Attempt: Sendable {
        case ran(RunResult)
        case cannot(reason: String)
    }

    package var filesystem: BlockFilesystem
    package var kernel: String
    package var outcome: Outcome

    package init(_ outcome: Outcome, below filesystem: BlockFilesystem, kernel: String) {
        (self.outcome, self.filesystem, self.kernel) = (outcome, filesystem, kernel)
    }

    /// The combined verdict: violation if any confirmation saw it, pass if all fully explored runs did not, else
    /// inconclusive.
    package static func verdict(of all: [Confirmation]) -> Verdict {
        if all.contains(where: \.isSeen) { return .violation }
        return all.allSatisfy { if case .notSeen(_, nil) = $0.outcome { true } else { false } } ? .pass : .inconclusive
    }

    package var isSeen: Bool { if case .seen = outcome { true } else { false } }
}

extension Confirmation: Codable {
    private enum Key: String, CodingKey { case filesystem, kernel, outcome, states, of, explored, reason }
    private enum Kind: String, Codable {
        case seen
        case notSeen = "not seen"
        case cannotBeSeen = "cannot be seen"
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        filesystem = try fields.decode(BlockFilesystem.self, forKey: .filesystem)
        kernel = try fields.decode(String.self, forKey: .kernel)
        switch try fields.decode(Kind.self, forKey: .outcome) {
        case .seen:
            outcome = .seen(
                states: try fields.decode(Int.self, forKey: .states), of: try fields.decode(Int.self, forKey: .of))
        case .notSeen:
            outcome = .notSeen(
                of: try fields.decode(Int.self, forKey: .of),
                explored: try fields.decodeIfPresent(RunResult.Explored.self, forKey: .explored))
        case .cannotBeSeen: outcome = .cannotBeSeen(reason: try fields.decode(String.self, forKey: .reason))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(filesystem, forKey: .filesystem)
        try fields.encode(kernel, forKey: .kernel)
        switch outcome {
        case .seen(let states, let all):
            try fields.encode(Kind.seen, forKey: .outcome)
            try fields.encode(states, forKey: .states)
            try fields.encode(all, forKey: .of)
        case .notSeen(let all, let explored):
            try fields.encode(Kind.notSeen, forKey: .outcome)
            try fields.encode(all, forKey: .of)
            try fields.encodeIfPresent(explored, forKey: .explored)
        case .cannotBeSeen(let reason):
            try fields.encode(Kind.cannotBeSeen, forKey: .outcome)
            try fields.encode(reason, forKey: .reason)
        }
    }
}

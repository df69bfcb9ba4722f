import Bytes
import Model
import Oracle

/// A failure of a store that is known and accepted, so that the next one shows.
///
/// It says of a cause only what its fields say; what is nil may be anything.
package struct KnownFinding: Hashable, Codable, Sendable {
    package var check: Check
    /// What is lost, all of it and nothing else; empty: nothing is. In paths `*` stands for anything.
    package var losses: [LossPattern]?
    /// What the store says, in each state that fails for the cause. `*` stands for anything; numbers count as equal.
    package var error: TextPattern?
    /// Of `opens`: whether anything had been acknowledged.
    package var hasAcknowledged: Bool?
    /// Why it is accepted.
    package var reason: String

    package init(
        _ check: Check, losses: [LossPattern]? = nil, error: TextPattern? = nil, hasAcknowledged: Bool? = nil,
        reason: String
    ) {
        self.check = check
        self.losses = losses
        self.error = error
        self.hasAcknowledged = hasAcknowledged
        self.reason = reason
    }

    private enum CodingKeys: String, CodingKey {
        case check, error, reason
        case losses = "loss"
        case hasAcknowledged = "acknowledged"
    }

    /// Whether these are the losses that it tells of.
    package func covers(_ lost: [LossPattern]) -> Bool {
        guard let losses else { return true }
        return lost.allSatisfy { one in losses.contains { $0.covers(one) } }
            && losses.allSatisfy { pattern in lost.contains { pattern.covers($0) } }
    }
}

extension KnownFinding: CustomStringConvertible {
    /// Without its reason: `opens (write db): 'bad checksum at #'`.
    package var description: String {
        let lost = losses.map { $0.isEmpty ? " (nothing lost)" : " (\($0.map(\.description).joined(separator: ", ")))" }
        let when = hasAcknowledged.map { $0 ? ", something acknowledged" : ", nothing acknowledged" }
        return check.rawValue + (lost ?? "") + (error.map { ": '\($0)'" } ?? "") + (when ?? "")
    }
}

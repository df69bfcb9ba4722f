import Bytes
import Model
import Oracle

/// A known and accepted failure of a store, so that a new one stands out.
///
/// A field that is nil matches anything.
package struct KnownFinding: Hashable, Codable, Sendable {
    package var check: Check
    /// Exactly what is lost; empty for nothing. `*` in a path matches anything.
    package var losses: [LossPattern]?
    /// The store's error message in each failing state. `*` matches anything; all numbers are equal.
    package var error: TextPattern?
    /// Only for `opens`: whether any operation was acknowledged.
    package var hasAcknowledged: Bool?
    /// The parameters of a target for which it is accepted; nil for every configuration.
    package var settings: [String: String]?
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
        case settings = "when"
    }

    /// Whether it is accepted in this configuration.
    package func applies(in configuration: [Setting]) -> Bool {
        (settings ?? [:]).allSatisfy { configuration.contains(Setting(name: $0.key, value: $0.value)) }
    }

    /// Whether it matches these losses.
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
        let only = settings.map { $0.map { ", \($0.key)=\($0.value)" }.sorted().joined() }
        return check.rawValue + (lost ?? "") + (error.map { ": '\($0)'" } ?? "") + (when ?? "") + (only ?? "")
    }
}

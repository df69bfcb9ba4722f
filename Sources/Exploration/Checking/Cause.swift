import Bytes
import Model
import Oracle

/// The cause of a failing state, as facts. Failures with equal causes are reported once.
package struct Cause: Hashable, Codable, Sendable {
    package var check: Check
    /// The losses that are necessary for the check to fail, sorted.
    package var losses: [LossPattern]
    /// The pattern of the store's error message; nil if the store opened and the failure is in its content.
    package var error: TextPattern?
    /// Whether recovery hung, which is a finding of its own.
    package var isHang: Bool
    /// For a store that does not open: whether anything had been acknowledged. Before that, the crash hit the creation of
    /// the store. nil for other checks.
    package var hasAcknowledged: Bool?
    /// The family of the injected fault; nil for a crash.
    package var fault: FaultFamilyName?
    /// Whether the crash was during a recovery.
    package var isDuringRecovery = false

    package init(_ symptom: Symptom, losses: [LossPattern], isDuringRecovery: Bool = false) {
        check = symptom.check
        error = symptom.error
        isHang = symptom.isHang
        hasAcknowledged = symptom.hasAcknowledged
        self.losses = losses
        self.isDuringRecovery = isDuringRecovery
    }

    /// The cause of a failure of a live store, whose losses are unknown.
    ///
    /// - Parameter error: the error message of the store.
    package init(
        _ check: Check, error: String?, hasAcknowledged: Bool, fault: FaultFamilyName? = nil,
        isHang: Bool = false
    ) {
        self.check = check
        self.isHang = check == .opens && isHang
        losses = []
        self.error = error.map { TextPattern(ofMessage: $0) }
        self.hasAcknowledged = check == .opens ? hasAcknowledged : nil
        self.fault = fault
    }

    private enum CodingKeys: String, CodingKey {
        case check, losses, error
        case isHang = "hang"
        case hasAcknowledged = "acknowledged"
        case fault
        case isDuringRecovery = "duringRecovery"
    }

    /// Whether both are reported as one finding. The error messages of one cause may differ. All crashes during the creation
    /// of the store after which it does not open are one finding, whatever they lost.
    package func isGrouped(with other: Cause) -> Bool {
        guard isSameKind(as: other) else { return false }
        if losses == other.losses, error == other.error { return true }
        return hasAcknowledged == other.hasAcknowledged && (failsDuringCreation || losses == other.losses)
    }

    /// Whether they differ at most in the losses and the error.
    private func isSameKind(as other: Cause) -> Bool {
        check == other.check && fault == other.fault && isHang == other.isHang
            && isDuringRecovery == other.isDuringRecovery
    }

    package var failsDuringCreation: Bool { hasAcknowledged == false && fault == nil }

    /// Whether a state with this cause also reproduces `other`.
    package func shows(_ other: Cause) -> Bool {
        isSameKind(as: other) && losses == other.losses && hasAcknowledged == other.hasAcknowledged
            && (!failsDuringCreation || error == other.error)
    }
}

/// How a state fails, without the cause.
package struct Symptom: Hashable, Sendable {
    package var check: Check
    package var error: TextPattern?
    /// For a store that does not open: whether anything had been acknowledged; nil for other checks.
    package var hasAcknowledged: Bool?
    /// Whether recovery hung. Each further recovery costs the target's whole timeout.
    package var isHang: Bool
}

extension Judgement {
    /// The first failed check and its error; nil if no check failed.
    package var symptom: Symptom? {
        guard let check = broken.first else { return nil }
        let violation = violations.first { $0.check == check }
        return Symptom(
            check: check, error: violation?.error.map { TextPattern(ofMessage: $0) },
            hasAcknowledged: check == .opens ? hasAcknowledged : nil, isHang: isHang)
    }
}

extension Violation {
    /// The error message of the store, if the check is about one.
    package var error: String? {
        switch check {
        case .opens, .consistent, .writable: detail
        case .filesystem:
            storeCheck.map { [$0.rawValue, detail].filter { !$0.isEmpty }.joined(separator: ": ") } ?? detail
        case .idempotent where key == nil: detail
        default: nil
        }
    }
}

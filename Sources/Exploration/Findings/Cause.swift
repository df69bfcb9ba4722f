import Bytes
import Model
import Oracle

/// Why a crash state fails, as facts: failures with equal causes are told once.
package struct Cause: Hashable, Codable, Sendable {
    package var check: Check
    /// What kinds of changes must be lost for the check to break, of which files; in order.
    package var losses: [LossPattern]
    /// What the store said, without what differs from look to look; nil where it opened and showed what is wrong.
    package var error: TextPattern?
    /// Recovery did not end: a finding of its own, whatever else is said of the same losses.
    package var isHang: Bool
    /// Of a store that does not open: whether anything had been acknowledged. Before that it was cut while it made its
    /// files. Nil of other checks.
    package var hasAcknowledged: Bool?
    /// The family of the fault that the store met; nil for a crash.
    package var fault: FaultFamilyName?
    /// The power went during a recovery.
    package var isDuringRecovery = false

    package init(_ symptom: Symptom, losses: [LossPattern], isDuringRecovery: Bool = false) {
        check = symptom.check
        error = symptom.error
        isHang = symptom.isHang
        hasAcknowledged = symptom.hasAcknowledged
        self.losses = losses
        self.isDuringRecovery = isDuringRecovery
    }

    /// The cause of what a live store showed: nothing is known of what was lost.
    ///
    /// - Parameter error: what the store said.
    package init(
        _ check: Check, saying error: String?, hasAcknowledged: Bool, fault: FaultFamilyName? = nil,
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

    /// Whether both are told as one finding. Errors may say different things of one cause. A store that does not open, and
    /// had not acknowledged anything, was cut while it made its files: that is one cause, whatever of them was lost.
    package func isKin(of other: Cause) -> Bool {
        guard isSameKind(as: other) else { return false }
        if losses == other.losses, error == other.error { return true }
        return hasAcknowledged == other.hasAcknowledged && (isOfCreation || losses == other.losses)
    }

    /// Whether nothing but what was lost, and what the store said, can keep them apart.
    private func isSameKind(as other: Cause) -> Bool {
        check == other.check && fault == other.fault && isHang == other.isHang
            && isDuringRecovery == other.isDuringRecovery
    }

    package var isOfCreation: Bool { hasAcknowledged == false && fault == nil }

    /// Whether a state that fails for this cause shows `other`, whatever else is found.
    package func shows(_ other: Cause) -> Bool {
        isSameKind(as: other) && losses == other.losses && hasAcknowledged == other.hasAcknowledged
            && (!isOfCreation || error == other.error)
    }
}

/// What is wrong with a crash state, without why.
package struct Symptom: Hashable, Sendable {
    package var check: Check
    package var error: TextPattern?
    /// Of a store that does not open: whether anything had been acknowledged; nil of other checks.
    package var hasAcknowledged: Bool?
    /// Recovery did not end: each further look costs the target's whole timeout.
    package var isHang: Bool
}

extension Judgement {
    /// The first broken check and how it shows; nil where none is broken.
    package var symptom: Symptom? {
        guard let check = broken.first else { return nil }
        let violation = violations.first { $0.check == check }
        return Symptom(
            check: check, error: violation?.error.map { TextPattern(ofMessage: $0) },
            hasAcknowledged: check == .opens ? hasAcknowledged : nil, isHang: isHang)
    }
}

extension Violation {
    /// What the store said, where a check is about that.
    package var error: String? {
        switch check {
        case .opens, .writable, .filesystem: detail
        case .idempotent where key == nil: detail
        default: nil
        }
    }
}

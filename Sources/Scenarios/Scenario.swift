/// A way to fail a store.
package enum Scenario: String, CaseIterable, Codable, Sendable {
    /// No fault: workload, reopen, validate. If this fails the harness is wrong.
    case smoke
    /// The power goes: what was not synced may be lost, torn or reordered as the profile allows.
    case powerCut = "power-cut"

    package var summary: String {
        switch self {
        case .smoke: "no fault: workload, reopen, validate"
        case .powerCut: "the power goes: unsynced data, sizes and names are lost by the profile's rules"
        }
    }
}

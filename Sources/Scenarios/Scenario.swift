/// A way to fail a store.
package enum Scenario: String, CaseIterable, Codable, Sendable {
    /// No fault: workload, reopen, validate. If this fails the harness is wrong.
    case smoke
    /// The process is killed: everything that it wrote is kept.
    case kill
    /// The power goes: what was not synced may be lost, torn or reordered as the profile allows.
    case powerCut = "power-cut"
    /// Every disk state that a crash could have left.
    case explore

    package var summary: String {
        switch self {
        case .smoke: "no fault: workload, reopen, validate"
        case .kill: "SIGKILL in the middle of the workload: what was written is kept, what was in memory is lost"
        case .explore: "record once, and check every disk state that a crash could have left"
        case .powerCut: "the power goes: unsynced data, sizes and names are lost by the profile's rules"
        }
    }

    /// How often it fails the store unless somebody says otherwise.
    package var usualCycles: Int {
        switch self {
        case .smoke, .explore: 0
        case .kill: 10
        case .powerCut: 2
        }
    }
}

/// A way to fail a store.
package enum Scenario: String, CaseIterable, Codable, Sendable {
    /// No fault: workload, reopen, validate. If this fails the harness is wrong.
    case smoke
    /// The process is killed: everything that it wrote is kept.
    case kill
    /// The power goes: what was not synced may be lost, torn or reordered as the profile allows.
    case powerCut = "power-cut"
    /// Storage fails while the store is at work: errors, no space, failed syncs, wrong bytes.
    case ioError = "io-error"
    /// Every disk state that a crash could have left.
    case explore

    package var summary: String {
        switch self {
        case .smoke: "no fault: workload, reopen, validate"
        case .kill: "SIGKILL in the middle of the workload: what was written is kept, what was in memory is lost"
        case .ioError: "storage fails at work: errors, no space, short counts, failed syncs, lies, wrong bytes"
        case .explore: "record once, and check every disk state that a crash could have left"
        case .powerCut: "the power goes: unsynced data, sizes and names are lost by the profile's rules"
        }
    }

    /// Whether it goes on for as long as it is given, so that a budget can end it earlier.
    package var takesBudget: Bool { self == .explore || self == .powerCut || self == .ioError }

    /// How often it fails the store unless somebody says otherwise.
    package var usualCycles: Int {
        switch self {
        case .smoke, .explore: 0
        case .kill: 10
        case .ioError: 1
        case .powerCut: 2
        }
    }
}

import Model

/// How far the deciding of states has come: for each epoch the strongest level of which every state is decided.
struct Deciding {
    struct OfEpoch {
        var level: StateLevel?
        /// The number of states that were decided: those of the level, or only those recovered.
        var states = StateCount(0)
        /// The families of these levels that were looked at last.
        var tornFamilies = 0
        var unitFamilies = 0
        var atomCount = 0
        /// Whether a level was tried and has too many families.
        var isTooLarge = false
    }

    /// By the number of the epoch.
    private(set) var epochs: [Int: OfEpoch] = [:]
    /// The number of families, each decided by one recovery or by what earlier ones read.
    var families = 0
    /// The states that were recovered although they were decided.
    var sampled = 0
    /// Families that decide several states since a sample was taken.
    private var sinceSample = 0

    subscript(number: Int) -> OfEpoch { epochs[number] ?? OfEpoch() }

    mutating func note(_ decision: EpochDecision) {
        var epoch = self[decision.number]
        switch decision.level {
        case .whole: break
        case .torn: epoch.tornFamilies = decision.familyCount
        case .units: epoch.unitFamilies = decision.familyCount
        }
        epoch.atomCount = decision.atomCount
        if decision.isExhausted {
            if epoch.level.map({ $0 < decision.exhaustedLevel }) ?? true { epoch.level = decision.exhaustedLevel }
        } else {
            epoch.isTooLarge = true
        }
        let count = decision.isExhausted ? decision.stateCount() : nil
        epoch.states = max(epoch.states, count ?? StateCount(decision.familyCount))
        epochs[decision.number] = epoch
    }

    /// Whether to recover a further state of the next family: of all at first, and then of one in `samplePeriod`.
    mutating func takesSample() -> Bool {
        sinceSample += 1
        guard sampled < Self.sampledAtLeast || sinceSample >= Self.samplePeriod else { return false }
        sinceSample = 0
        sampled += 1
        return true
    }

    private static let (samplePeriod, sampledAtLeast) = (256, 50)

    /// The number of epochs of which all states of a level are decided.
    func epochs(reaching level: StateLevel) -> Int {
        epochs.values.count { $0.level.map { $0 >= level } ?? false }
    }
}

/// Why states are not decided by what recoveries read.
package enum DecidingObstacle: String, Codable, Sendable {
    /// A decided state, recovered all the same, showed something else.
    case sampleDiffers = "sample-differs"
    /// Two recoveries read the same and then went on differently.
    case readsDiffer = "reads-differ"
}

import Oracle

/// What a scenario counts while it runs.
struct RunTally {
    var acknowledged = 0
    var decided = 0
    var checked = 0
    var statesWithLosses = 0
    /// Live cuts after which the workload was found at work.
    var cutsLanded = 0
    var findings: [Finding] = []
    /// Violations that a persistent recover process showed and a fresh one did not.
    var unconfirmed = 0
    /// Why a check of the contract could not be judged.
    var unjudged: Set<String> = []
    var mutations = 0
    var flagged = 0
    var notFormed: Set<String> = []
    /// Mutations that the validator let pass: the harness is wrong.
    var unflagged: Set<String> = []

    /// Adds a finding, or its states to the one that has the same cause already.
    mutating func add(_ finding: Finding) {
        let same = findings.firstIndex { known in
            known.check == finding.check && known.lossKinds == finding.lossKinds
        }
        if let same { findings[same].states += finding.states } else { findings.append(finding) }
    }
}

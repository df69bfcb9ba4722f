import Oracle

extension RunTally {
    /// The positive control: this run's real observation is made wrong once for each check, and each must be flagged.
    mutating func control(_ validator: Validator, _ evidence: Evidence, _ contract: Contract, at line: Int) {
        guard case .opened(let observation) = evidence.recovery else { return }
        for result in PositiveControl.run(validator, observation, contract: contract, at: line) {
            switch result.outcome {
            case .flagged:
                mutations += 1
                flagged += 1
            case .missed(let verdict):
                mutations += 1
                unflagged.insert("\(result.mutation.rawValue) (it said \(verdict.rawValue))")
            case .notFormed(let reason): notFormed.insert("\(result.mutation.rawValue): \(reason)")
            case .alreadyBroken: break
            }
        }
    }
}

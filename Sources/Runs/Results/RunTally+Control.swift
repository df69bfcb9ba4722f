import Oracle

extension RunTally {
    /// A life that began with a recovery has acknowledged writes: they are the writes after recovery, and if everything
    /// acknowledged is still there, they have survived. Then `writable` was tried, which `evidence` says from here on.
    package mutating func noteWrites(
        afterRecoveryIn evidence: inout Evidence, _ validator: Validator, _ contract: Contract, at line: Int? = nil
    ) {
        guard validator.judge(evidence, contract: contract, at: line).verdict != .violation else { return }
        evidence.probe = .kept
        tried.insert(.writable)
    }

    /// The positive control: this run's real observation is made wrong once for each check, and each must be flagged.
    package mutating func control(_ validator: Validator, _ evidence: Evidence, _ contract: Contract, at line: Int) {
        guard case .opened(let observation) = evidence.recovery else { return }
        let untried = Set(validator.judge(evidence, contract: contract, at: line).notTried)
        notTried.formUnion(untried)
        for result in PositiveControl.run(validator, observation, contract: contract, at: line) {
            // What the run does not look at, it would not notice either.
            if untried.contains(result.mutation.check) { continue }
            switch result.outcome {
            case .detected:
                mutations += 1
                flagged += 1
                flaggedChecks.insert(result.mutation.check)
            case .missed(let verdict):
                mutations += 1
                unflagged.insert("\(result.mutation.rawValue) (it said \(verdict.rawValue))")
            case .notApplicable(let reason): notFormed.insert("\(result.mutation.rawValue): \(reason)")
            case .alreadyBroken: break
            }
        }
    }
}

extension Evidence {
    /// Neither recovery failed.
    package var isOpenThroughout: Bool { [recovery, secondRecovery].allSatisfy { $0?.failure == nil } }
}

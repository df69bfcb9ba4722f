import Oracle

extension RunTally {
    /// Records that writes after recovery survived. For a life that began with a recovery and acknowledged writes: if
    /// nothing is violated, those writes survived. Sets the probe in `evidence` and marks `writable` as tried.
    package mutating func noteWrites(
        afterRecoveryIn evidence: inout Evidence, _ validator: Validator, _ contract: Contract, at line: Int? = nil
    ) {
        guard validator.judge(evidence, contract: contract, at: line).verdict != .violation else { return }
        evidence.probe = .kept
        tried.insert(.writable)
    }

    /// The positive control: mutates this run's real observation once for each check; the validator must detect each
    /// mutation.
    package mutating func control(_ validator: Validator, _ evidence: Evidence, _ contract: Contract, at line: Int) {
        guard case .opened(let observation) = evidence.recovery else { return }
        let untried = Set(validator.judge(evidence, contract: contract, at: line).notTried)
        notTried.formUnion(untried)
        for result in PositiveControl.run(validator, observation, contract: contract, at: line) {
            // The run gathers no evidence for this check, so a mutation would go undetected.
            if untried.contains(result.mutation.check) { continue }
            switch result.outcome {
            case .detected:
                mutations += 1
                detected += 1
                detectedChecks.insert(result.mutation.check)
            case .missed(let verdict):
                mutations += 1
                undetected.insert("\(result.mutation.rawValue) (it said \(verdict.rawValue))")
            case .notApplicable(let reason): notFormed.insert("\(result.mutation.rawValue): \(reason)")
            case .alreadyBroken: break
            }
        }
    }
}

extension Evidence {
    /// Whether neither recovery failed.
    package var isOpenThroughout: Bool { [recovery, secondRecovery].allSatisfy { $0?.failure == nil } }
}

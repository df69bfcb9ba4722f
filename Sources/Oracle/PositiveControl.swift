/// Tests the validator as this run used it.
///
/// A pass is meaningful only if the validator would have detected a violation. So the run's own observation gets one
/// defect for each check of the contract, and that check must detect it. Mutations that the history does not allow
/// (such as a resurrected delete without a delete) are listed with the reason. Pure and deterministic.
public enum PositiveControl {
    /// Runs every mutation whose check is in `contract`. `line` as in `Validator.judge`.
    public static func run(
        _ validator: Validator, _ observation: Observation, contract: Contract, at line: Int? = nil
    ) -> [ControlResult] {
        let base = validator.judge(observation, contract: contract, at: line)
        let mutator = Mutator(validator, observation, contract, base, at: line)
        let mutations = Mutation.allCases.filter { mutation in
            contract.checks.contains(mutation.check) && (mutation != .complaint || observation.ownCheck != nil)
        }
        return mutations.map { mutation in
            guard base.counts[mutation.check] == nil else {
                return ControlResult(mutation: mutation, outcome: .alreadyBroken)
            }
            switch mutator.evidence(of: mutation) {
            case .failure(let error):
                return ControlResult(mutation: mutation, outcome: .notApplicable(reason: error.reason))
            case .success(let evidence):
                let judgement = validator.judge(evidence, contract: contract, at: line)
                let isDetected = judgement.counts[mutation.check] != nil && judgement.verdict == .violation
                return ControlResult(
                    mutation: mutation, outcome: isDetected ? .detected : .missed(verdict: judgement.verdict))
            }
        }
    }

    /// `verdict`, or a harness error if a mutation was missed.
    public static func verdict(_ verdict: Verdict, after results: [ControlResult]) -> Verdict {
        results.contains(where: \.isMissed) ? .harnessError : verdict
    }
}

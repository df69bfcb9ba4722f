/// Whether the validator, as this run used it, would have noticed.
///
/// A run that finds nothing proves something only if it would have found it. The run's own observation is made wrong
/// in one way for each check of the contract, and each time that check must flag it. What cannot be made (a resurrected
/// delete where nothing was deleted) is said, with the reason, rather than left out. Pure and deterministic.
public enum PositiveControl {
    /// One result for each mutation whose check is in `contract`. `line` as in `Validator.judge`.
    public static func run(
        _ validator: Validator, _ observation: Observation, contract: Contract, at line: Int? = nil
    ) -> [ControlResult] {
        let base = validator.judge(observation, contract: contract, at: line)
        let mutator = Mutator(validator, observation, contract, base, at: line)
        return Mutation.allCases.filter { contract.checks.contains($0.check) }.map { mutation in
            guard base.counts[mutation.check] == nil else {
                return ControlResult(mutation: mutation, outcome: .alreadyBroken)
            }
            switch mutator.evidence(of: mutation) {
            case .failure(let impossible):
                return ControlResult(mutation: mutation, outcome: .notFormed(reason: impossible.reason))
            case .success(let evidence):
                let judgement = validator.judge(evidence, contract: contract, at: line)
                let isFlagged = judgement.counts[mutation.check] != nil && judgement.verdict == .violation
                return ControlResult(
                    mutation: mutation, outcome: isFlagged ? .flagged : .missed(verdict: judgement.verdict))
            }
        }
    }

    /// `verdict`, unless a mutation was missed: then the run is a harness error, whatever else it found.
    public static func verdict(_ verdict: Verdict, after results: [ControlResult]) -> Verdict {
        results.contains(where: \.isMissed) ? .harnessError : verdict
    }
}

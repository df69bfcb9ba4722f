import Oracle

/// What evidence of a crash state is held to. Safe from several threads.
package struct EvidenceJudge: Sendable {
    package var validator: Validator
    package var contract: Contract
    /// How many oracle lines stand before the recording's first one.
    package var linesBefore: Int

    package init(_ validator: Validator, _ contract: Contract, linesBefore: Int = 0) {
        self.validator = validator
        self.contract = contract
        self.linesBefore = linesBefore
    }

    package func judge(_ evidence: Evidence, at state: CrashState) -> Judgement {
        validator.judge(evidence, contract: contract, at: linesBefore + state.oracleLineCount)
    }
}

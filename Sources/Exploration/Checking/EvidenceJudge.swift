import Oracle

/// Judges the evidence of crash states by the contract of the store. Thread safe.
package struct EvidenceJudge: Sendable {
    package var validator: Validator
    package var contract: Contract
    /// The number of oracle lines before the recording's first one.
    package var linesBefore: Int

    package init(_ validator: Validator, _ contract: Contract, linesBefore: Int = 0) {
        self.validator = validator
        self.contract = contract
        self.linesBefore = linesBefore
    }

    package func judge(_ evidence: Evidence, at state: CrashState) -> Judgement {
        judge(evidence, atLine: state.oracleLineCount)
    }

    /// - Parameter line: how many lines of the recording's oracle had been written.
    func judge(_ evidence: Evidence, atLine line: Int) -> Judgement {
        validator.judge(evidence, contract: contract, at: linesBefore + line)
    }
}

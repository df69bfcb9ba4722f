import Oracle

/// Judges the evidence of crash states by the contract of the store. Thread safe.
package struct EvidenceJudge: Sendable {
    package var validator: Validator
    package var contract: Contract
    /// The number of oracle lines before the recording's first one.
    package var linesBefore: Int
    /// A fault of the block device: violations after it are the filesystem's. nil if there was none.
    package var deviceFault: DeviceFault?

    package init(
        _ validator: Validator, _ contract: Contract, linesBefore: Int = 0, deviceFault: DeviceFault? = nil
    ) {
        self.validator = validator
        self.contract = contract
        self.linesBefore = linesBefore
        self.deviceFault = deviceFault
    }

    package func judge(_ evidence: Evidence, at state: CrashState) -> Judgement {
        judge(evidence, atLine: state.oracleLineCount)
    }

    /// - Parameter line: how many lines of the recording's oracle had been written.
    func judge(_ evidence: Evidence, atLine line: Int) -> Judgement {
        let judgement = validator.judge(evidence, contract: contract, at: linesBefore + line)
        guard let deviceFault, deviceFault.mayPrecede(line: line) else { return judgement }
        return judgement.blamedOnFilesystem()
    }
}

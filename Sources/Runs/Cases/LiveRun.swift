/// How to repeat the run of a finding that only a live store showed: no crash state reproduces it. The same seed and
/// rules give the same faults.
package struct LiveRun: Codable, Hashable, Sendable {
    /// In the text form of `Rule`.
    package var rules: [String]
    package var operationCount: UInt64
    package var valueBytes: Int?
    package var threadCount: Int

    package init(rules: [String], operationCount: UInt64, valueBytes: Int?, threadCount: Int) {
        self.rules = rules
        self.operationCount = operationCount
        self.valueBytes = valueBytes
        self.threadCount = threadCount
    }
}

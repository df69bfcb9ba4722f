/// What of a case was seen in a live store alone, so that no state can be derived that shows it: how the run is done
/// again. The same seed and the same rules give the same faults.
package struct LiveRun: Codable, Hashable, Sendable {
    /// As rules print.
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

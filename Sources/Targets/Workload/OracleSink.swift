import Oracle

/// Receives the oracle lines of a workload. Thread safe.
package protocol OracleSink: Sendable {
    /// Appends `line`. When this returns, no fault of the store can remove it.
    func append(_ line: OracleLine) throws
}

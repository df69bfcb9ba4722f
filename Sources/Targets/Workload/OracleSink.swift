import Oracle

/// Takes the oracle's lines while a workload runs. Thread safe.
package protocol OracleSink: Sendable {
    /// Appends `line`. When it returns, nothing that fails the store can take it back.
    func append(_ line: OracleLine) throws
}

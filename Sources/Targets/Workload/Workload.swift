import Bytes
import Oracle

/// Drives a store through a script and writes the oracle.
package struct Workload: Sendable {
    package var script: WorkloadScript
    /// The number of the first operation.
    package var firstSeq: UInt64
    package var operationCount: UInt64

    package init(script: WorkloadScript, firstSeq: UInt64 = 1, operationCount: UInt64) {
        self.script = script
        self.firstSeq = firstSeq
        self.operationCount = operationCount
    }

    /// Writes the intent before the store is called, and the answer after it returned.
    ///
    /// - Throws: what the store threw, after the refusal is in the oracle; or a `TargetError` of the oracle.
    package func run<Store: WorkloadStore & ~Copyable>(on store: consuming Store, oracle: OracleFile) throws {
        for seq in firstSeq..<(firstSeq + operationCount) {
            let operation = script.operation(seq)
            try oracle.append(.begin(operation))
            do {
                switch operation.action {
                case .put(let payload): try store.put(operation.key, payload)
                case .delete: try store.delete(operation.key)
                }
            } catch {
                try oracle.append(.failed(operation))
                throw error
            }
            try oracle.append(.acknowledged(operation))
            try store.maintain(after: seq)
        }
        try store.close()
    }
}

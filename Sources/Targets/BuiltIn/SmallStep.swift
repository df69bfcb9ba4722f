import Oracle
import Storage

/// A step of a small workload: an operation on one of two keys, or maintenance. Exploration runs all sequences of them.
package enum SmallStep: String, CaseIterable, Sendable {
    case putA = "put a"
    case putB = "put b"
    case deleteA = "delete a"
    case deleteB = "delete b"
    /// Puts a and deletes b in one batch.
    case batch
    /// Starts a new segment.
    case rotate
    case compact
    /// Takes a checkpoint and truncates the log before it.
    case checkpoint
    /// Closes the store and opens it again.
    case reopen

    /// The step's oracle operations, numbered from `seq`.
    func operations(_ seq: UInt64) -> [OracleOperation] {
        // Longer than a sector, so that it can be torn, and unique.
        let large = Array("\(seq) ".utf8) + [UInt8](repeating: UInt8(ascii: "b"), count: 600)
        let small = Array("\(seq)".utf8)
        switch self {
        case .putA: return [.put(seq, "a", small)]
        case .putB: return [.put(seq, "b", large)]
        case .deleteA: return [.delete(seq, "a")]
        case .deleteB: return [.delete(seq, "b")]
        case .batch: return [.put(seq, "a", large, txn: seq), .delete(seq + 1, "b", txn: seq)]
        case .rotate, .compact, .checkpoint, .reopen: return []
        }
    }
}

extension BuiltInStore {
    /// The steps that the store supports.
    package var smallSteps: [SmallStep] {
        switch self {
        case .engine: [.putA, .putB, .deleteA, .deleteB, .batch, .rotate, .compact, .reopen]
        case .events: [.putA, .putB, .deleteA, .deleteB, .checkpoint, .reopen]
        }
    }

    /// Runs the steps in order.
    package func run(_ steps: [SmallStep], on storage: any Storage, oracle: any OracleSink) throws {
        var store = try open(storage)
        var seq: UInt64 = 1
        for step in steps {
            if step == .reopen {
                try store.close()
                store = try open(storage)
                continue
            }
            let operations = step.operations(seq)
            seq += UInt64(operations.count)
            for operation in operations { try oracle.append(.begin(operation)) }
            switch (operations.count, operations.first?.action) {
            case (0, _): try store.perform(step)
            case (1, .put(let payload)?): try store.put(operations[0].key, payload)
            case (1, .delete?): try store.delete(operations[0].key)
            default: try store.commit(operations)
            }
            for operation in operations { try oracle.append(.acknowledged(operation)) }
        }
        try store.close()
    }
}

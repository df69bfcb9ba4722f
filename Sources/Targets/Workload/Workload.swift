import Bytes
import Foundation
import Oracle
import Platform

/// Runs operations on a store, with one or several clients, and writes the oracle.
package struct Workload: Sendable {
    package var seed: UInt64
    package var shape: WorkloadShape
    /// The number of the first operation.
    package var firstSeq: UInt64
    package var operationCount: UInt64
    /// If it is there, a key is read back after each operation, so that reads are timed too.
    package var timings: CallTimings?

    package init(
        seed: UInt64, shape: WorkloadShape = WorkloadShape(), firstSeq: UInt64 = 1, operationCount: UInt64,
        timings: CallTimings? = nil
    ) {
        self.timings = timings
        self.seed = seed
        self.shape = shape
        self.firstSeq = firstSeq
        self.operationCount = operationCount
    }

    /// Writes the intent before each call of the store and the answer after it. Intents are numbered consecutively over
    /// all clients. A client's keys and payloads depend only on the seed, not on other clients.
    ///
    /// After a failed operation it tries the next one, as a server application would. It stops after three consecutive
    /// failures.
    ///
    /// - Throws: the first error of the store, after the failure is in the oracle; or a `TargetError` of the oracle.
    package func run<Store: WorkloadStore & ~Copyable>(on store: consuming Store, oracle: any OracleSink) throws {
        let shared = SharedStore(store)
        let numbering = OracleNumbering(oracle, nextSeq: firstSeq)
        let end = shape.durationSeconds.map { ContinuousClock.now + .seconds($0) }
        let failure = Guarded<(any Error)?>(nil)
        if shape.threadCount == 1 {
            try work(0, shared, numbering, until: end) { false }
        } else {
            let clients = try (0..<shape.threadCount).map { client in
                try Platform.Thread {
                    do {
                        try work(client, shared, numbering, until: end) { failure.withLock { $0 != nil } }
                    } catch {
                        failure.withLock { if $0 == nil { $0 = error } }
                    }
                }
            }
            for client in clients { client.join() }
            if let error = failure.withLock({ $0 }) { throw error }
        }
        try shared.close()
    }

    private func work<Store: WorkloadStore & ~Copyable>(
        _ client: Int, _ store: SharedStore<Store>, _ numbering: OracleNumbering, until end: ContinuousClock.Instant?,
        shouldStop: () -> Bool
    ) throws {
        let script = WorkloadScript(seed: seed, shape: shape, client: client)
        let clients = UInt64(shape.threadCount)
        let share = operationCount / clients + (UInt64(client) < operationCount % clients ? 1 : 0)
        var number = firstSeq
        var firstFailure: (any Error)?
        var consecutiveFailures = 0
        let last = firstSeq + share
        while number < last, !shouldStop() {
            if let end, ContinuousClock.now >= end { break }
            let count = min(UInt64(shape.batchCount), last - number)
            let numbers = number..<number + count
            let operations = try numbering.begin(isBatch: shape.batchCount > 1) { seq, txn in
                numbers.map { script.operation($0, seq: seq + ($0 - numbers.lowerBound), txn: txn) }
            }
            do {
                try store.apply(operations)
            } catch {
                for operation in operations { try numbering.append(.failed(operation)) }
                let first = firstFailure ?? error
                firstFailure = first
                consecutiveFailures += 1
                guard consecutiveFailures < 3 else { throw first }
                number += count
                continue
            }
            consecutiveFailures = 0
            for operation in operations { try numbering.append(.acknowledged(operation)) }
            if timings != nil { try store.readBack(operations[0], isOnlyClient: clients == 1, timings) }
            for number in numbers { try store.maintain(after: number) }
            number += count
        }
        if let firstFailure { throw firstFailure }
    }
}

/// Assigns operation numbers and writes begin lines in their order.
private final class OracleNumbering: Sendable {
    private let oracle: any OracleSink
    private let nextSeq: Guarded<UInt64>

    init(_ oracle: any OracleSink, nextSeq: UInt64) {
        self.oracle = oracle
        self.nextSeq = Guarded(nextSeq)
    }

    /// Creates operations with the next numbers and writes their intents.
    func begin(
        isBatch: Bool, _ make: (_ seq: UInt64, _ txn: UInt64?) -> [OracleOperation]
    ) throws -> [OracleOperation] {
        try nextSeq.withLock { seq in
            let operations = make(seq, isBatch ? seq : nil)
            for operation in operations { try oracle.append(.begin(operation)) }
            seq += UInt64(operations.count)
            return operations
        }
    }

    func append(_ line: OracleLine) throws { try oracle.append(line) }
}

/// A store that is shared by the clients of a workload. Serialises calls if the store is not thread safe.
private final class SharedStore<Store: WorkloadStore & ~Copyable>: @unchecked Sendable {
    private var store: Store?
    private let lock = NSLock()

    init(_ store: consuming Store) { self.store = consume store }

    func apply(_ operations: [OracleOperation]) throws {
        try serialised {
            guard operations.count == 1, operations[0].txn == nil else { return try store!.commit(operations) }
            switch operations[0].action {
            case .put(let payload): try store!.put(operations[0].key, payload)
            case .delete: try store!.delete(operations[0].key)
            }
        }
    }

    /// Reads the key of an acknowledged operation.
    ///
    /// - Parameter isOnlyClient: whether no other client can have changed the key since.
    func readBack(_ operation: OracleOperation, isOnlyClient: Bool, _ timings: CallTimings?) throws {
        let found = try serialised { try timings.timing(.get) { try store!.get(operation.key) } }
        guard isOnlyClient, Store.readsBack, operation.txn == nil, found != operation.action.payload else { return }
        throw ReadBackError(operation: operation)
    }

    func maintain(after number: UInt64) throws { try serialised { try store!.maintain(after: number) } }

    /// Call last.
    func close() throws { try store.take()!.close() }

    private func serialised<Result>(_ body: () throws -> Result) rethrows -> Result {
        if Store.isThreadSafe { return try body() }
        lock.lock()
        defer { lock.unlock() }
        return try body()
    }
}

/// A store showed something else than the last acknowledged operation of a key.
private struct ReadBackError: Error, CustomStringConvertible {
    var operation: OracleOperation

    var description: String {
        "a read of \(operation.key) right after operation \(operation.seq) does not show it"
    }
}

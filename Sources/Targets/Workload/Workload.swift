import Bytes
import Foundation
import Oracle
import Platform

/// Drives a store with one or several clients and writes the oracle.
package struct Workload: Sendable {
    package var seed: UInt64
    package var shape: WorkloadShape
    /// The number of the first operation.
    package var firstSeq: UInt64
    package var operationCount: UInt64

    package init(
        seed: UInt64, shape: WorkloadShape = WorkloadShape(), firstSeq: UInt64 = 1, operationCount: UInt64
    ) {
        self.seed = seed
        self.shape = shape
        self.firstSeq = firstSeq
        self.operationCount = operationCount
    }

    /// Writes the intents before the store is called, and the answers after it returned. Intents rise by one over all
    /// clients; each client's keys and payloads depend on the seed alone, whatever the others do.
    ///
    /// After an operation that the store refuses the next one is tried, as an application may that serves others, too;
    /// after three refusals in a row nothing is.
    ///
    /// - Throws: what the store threw first, after the refusal is in the oracle; or a `TargetError` of the oracle.
    package func run<Store: WorkloadStore & ~Copyable>(on store: consuming Store, oracle: any OracleSink) throws {
        let shared = SharedStore(store)
        let desk = OracleDesk(oracle, nextSeq: firstSeq)
        let end = shape.durationSeconds.map { ContinuousClock.now + .seconds($0) }
        let failure = Guarded<(any Error)?>(nil)
        if shape.threadCount == 1 {
            try work(0, shared, desk, until: end) { false }
        } else {
            let clients = try (0..<shape.threadCount).map { client in
                try Platform.Thread {
                    do {
                        try work(client, shared, desk, until: end) { failure.withLock { $0 != nil } }
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
        _ client: Int, _ store: SharedStore<Store>, _ desk: OracleDesk, until end: ContinuousClock.Instant?,
        shouldStop: () -> Bool
    ) throws {
        let script = WorkloadScript(seed: seed, shape: shape, client: client)
        let clients = UInt64(shape.threadCount)
        let share = operationCount / clients + (UInt64(client) < operationCount % clients ? 1 : 0)
        var number = firstSeq
        var refusal: (any Error)?
        var refusalsInARow = 0
        let last = firstSeq + share
        while number < last, !shouldStop() {
            if let end, ContinuousClock.now >= end { break }
            let count = min(UInt64(shape.batchCount), last - number)
            let numbers = number..<number + count
            let operations = try desk.begin(isBatch: shape.batchCount > 1) { seq, txn in
                numbers.map { script.operation($0, seq: seq + ($0 - numbers.lowerBound), txn: txn) }
            }
            do {
                try store.apply(operations)
            } catch {
                for operation in operations { try desk.append(.failed(operation)) }
                let first = refusal ?? error
                refusal = first
                refusalsInARow += 1
                guard refusalsInARow < 3 else { throw first }
                number += count
                continue
            }
            refusalsInARow = 0
            for operation in operations { try desk.append(.acknowledged(operation)) }
            for number in numbers { try store.maintain(after: number) }
            number += count
        }
        if let refusal { throw refusal }
    }
}

/// Hands out the oracle's numbers: begin lines must stand in the order of their numbers.
private final class OracleDesk: Sendable {
    private let oracle: any OracleSink
    private let nextSeq: Guarded<UInt64>

    init(_ oracle: any OracleSink, nextSeq: UInt64) {
        self.oracle = oracle
        self.nextSeq = Guarded(nextSeq)
    }

    /// Writes the intents of the operations that `make` makes for the next numbers.
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

/// A store that the clients of a workload share. One that is not thread safe is called by one at a time.
private final class SharedStore<Store: WorkloadStore & ~Copyable>: @unchecked Sendable {
    private var store: Store?
    private let turn = NSLock()

    init(_ store: consuming Store) { self.store = consume store }

    func apply(_ operations: [OracleOperation]) throws {
        try inTurn {
            guard operations.count == 1, operations[0].txn == nil else { return try store!.commit(operations) }
            switch operations[0].action {
            case .put(let payload): try store!.put(operations[0].key, payload)
            case .delete: try store!.delete(operations[0].key)
            }
        }
    }

    func maintain(after number: UInt64) throws { try inTurn { try store!.maintain(after: number) } }

    /// After the last call.
    func close() throws { try store.take()!.close() }

    private func inTurn(_ body: () throws -> Void) rethrows {
        if Store.isThreadSafe { return try body() }
        turn.lock()
        defer { turn.unlock() }
        try body()
    }
}

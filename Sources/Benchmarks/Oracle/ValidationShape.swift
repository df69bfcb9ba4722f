import Bytes
import Model
import Oracle
import Runs

/// Worst-case oracles for the validator: each has `count` of one thing. Judging one must take O(n log n) at most.
package enum ValidationShape: String, CaseIterable, Sendable {
    case restarts
    case lives
    case livesOfOneKey = "lives of one key"
    case openLives = "open lives"
    case openLivesWithDeletes = "open lives with deletes"
    case answeredInOrder = "answered in order"
    case answeredInReverse = "answered in reverse"
    case afterUnanswered = "after unanswered"
    case failures
    case wrongValue = "wrong value"
    case pipeline
    case batchesOnTwoKeys = "batches on two keys"
    case tornBatches = "torn batches"
    case chainedBatches = "chained batches"
    case ambiguousBatches = "ambiguous batches"
    case manyKeys = "many keys"

    /// What the oracle has `count` of, for the table.
    package var description: String {
        switch self {
        case .restarts: "restart lines, no intents"
        case .lives: "restart lines, each after one acknowledged put of a new key"
        case .livesOfOneKey: "restart lines, each after one unanswered put of the same key"
        case .openLives:
            "restart lines, each after one unanswered put of the same key; the contract allows a lost tail"
        case .openLivesWithDeletes:
            "restart lines, each after an unanswered put or delete of the same key; the contract allows a lost tail"
        case .answeredInOrder: "operations in flight on one key, then answered in order"
        case .answeredInReverse: "operations in flight on one key, then answered in reverse"
        case .afterUnanswered: "acknowledged operations on one key, after as many unanswered ones"
        case .failures: "refused operations on one key"
        case .wrongValue: "operations on one key, any of which it might show; it shows another value"
        case .pipeline: "operations in flight of one writer on two keys; one key has lost all of them"
        case .batchesOnTwoKeys: "batches in flight on the same two keys; one key shows none of them"
        case .tornBatches: "batches in flight on the same hundred keys; one key shows half of a batch"
        case .chainedBatches: "batches in flight, each sharing a key with the previous one"
        case .ambiguousBatches: "batches of three lives on a few keys, with few payloads"
        case .manyKeys: "keys in the store"
        }
    }

    package var contract: Contract {
        switch self {
        case .pipeline: .ordered
        case .openLives, .openLivesWithDeletes: .orderedPrefix
        case .batchesOnTwoKeys, .tornBatches, .chainedBatches, .ambiguousBatches: .transactional
        default: .durable
        }
    }

    /// The verdict that the validator must give for `Case.observation`; nil for any.
    package var verdict: Verdict? {
        switch self {
        case .wrongValue, .pipeline, .batchesOnTwoKeys, .tornBatches: .violation
        case .ambiguousBatches: nil
        default: .pass
        }
    }

    package struct Case: Sendable {
        package var lines: [OracleLine]
        package var observation: Observation
    }

    /// Makes the oracle with `count` of the thing.
    package func makeCase(_ count: Int) -> Case {
        var writer = Writer()
        switch self {
        case .restarts, .lives, .livesOfOneKey, .openLives, .openLivesWithDeletes, .manyKeys: writeLives(count, &writer)
        case .answeredInOrder, .answeredInReverse, .afterUnanswered, .failures, .wrongValue, .pipeline:
            writeOperations(count, &writer)
        case .batchesOnTwoKeys, .tornBatches, .chainedBatches, .ambiguousBatches: writeBatches(count, &writer)
        }
        return Case(lines: writer.lines, observation: Observation(writer.shown))
    }

    private func writeLives(_ count: Int, _ writer: inout Writer) {
        switch self {
        case .restarts:
            writer.acknowledge("k", "v")
            for _ in 0..<count { writer.restart() }
        case .livesOfOneKey:
            for number in 0..<count {
                _ = writer.begin("k", "v\(number)")
                writer.restart()
            }
        case .openLives, .openLivesWithDeletes:
            writer.finish(writer.begin("k", "a"), .acknowledged)
            for number in 0..<count {
                writer.restart()
                let isDelete = self == .openLivesWithDeletes && number % 2 == 1
                _ = isDelete ? writer.beginDelete("k") : writer.begin("k", "v\(number)")
            }
            writer.show("k", "v\(count / 4 * 2)")
        default:
            for number in 0..<count {
                writer.acknowledge("k\(number)", "v\(number)")
                if self == .lives { writer.restart() }
            }
        }
    }

    private func writeOperations(_ count: Int, _ writer: inout Writer) {
        let keyCount = self == .pipeline ? 2 : 1
        if self == .pipeline { writer.finish(writer.begin("z", "z"), .acknowledged) }
        writer.show("k0", self == .wrongValue ? "another" : "v\(count / 2 * 2 - 2)")
        if self == .afterUnanswered { writer.show("k0", "w\(count - 1)") }
        var begun: [OracleOperation] = []
        for number in 0..<count {
            begun.append(writer.begin("k\(number % keyCount)", "v\(number)"))
            if self == .failures { writer.finish(begun[number], .failed) }
        }
        switch self {
        case .answeredInOrder, .wrongValue: for operation in begun { writer.finish(operation, .acknowledged) }
        case .answeredInReverse: for operation in begun.reversed() { writer.finish(operation, .acknowledged) }
        case .afterUnanswered:
            for number in 0..<count { writer.finish(writer.begin("k0", "w\(number)"), .acknowledged) }
        default: break
        }
    }

    private func writeBatches(_ count: Int, _ writer: inout Writer) {
        var random = RandomStream(seed: 1)
        for number in 0..<count {
            let batch = UInt64(number)
            switch self {
            case .batchesOnTwoKeys:
                _ = writer.begin("a", "v\(number)", batch)
                _ = writer.begin("b", "v\(number)", batch)
            case .tornBatches:
                _ = writer.begin("a\(number % 50)", "v\(number)", batch)
                _ = writer.begin("b\(number % 50)", "v\(number)", batch)
            case .chainedBatches:
                for key in [number, number + 1] { _ = writer.begin("k\(key)", "v\(number)", batch) }
                writer.show("k\(number)", "v\(number)")
                writer.show("k\(number + 1)", "v\(number)")
            default:
                for _ in 0..<3 {
                    _ = writer.begin(
                        "k\(random.next(upperBound: UInt64(64)))", "v\(random.next(upperBound: UInt64(3)))", batch)
                }
                if (number + 1) % max(1, count / 3) == 0 { writer.restart() }
            }
        }
        if self == .batchesOnTwoKeys { writer.show("a", "v\(count / 2)") }
        if self == .tornBatches { writer.show("b7", "v\(7 + (count - 8) / 50 * 50)") }
        guard self == .ambiguousBatches else { return }
        for key in 0..<64 { writer.show("k\(key)", "v\(random.next(upperBound: UInt64(3)))") }
    }

    /// Judges a case as `faultline validate` does: a pass includes the positive control.
    package func judge(_ made: Case) throws -> Judgement {
        var validator = Validator(contract.allowsLostTail ? .everything : .watching(made.observation))
        for (index, line) in made.lines.enumerated() { try validator.apply(line, at: index + 1) }
        let judgement = validator.judge(made.observation, contract: contract)
        let results =
            judgement.verdict == .pass
            ? PositiveControl.run(validator, made.observation, contract: contract) : []
        guard verdict ?? judgement.verdict == judgement.verdict, !results.contains(where: \.isMissed) else {
            throw RunError.harness("\(rawValue): \(judgement.verdict.rawValue), \(judgement.violations), \(results)")
        }
        return judgement
    }

    /// Writes oracle lines, and collects what the store shows: the values of `acknowledge` and `show`.
    private struct Writer {
        enum Answer { case acknowledged, failed }

        private(set) var lines: [OracleLine] = []
        private(set) var shown: [ByteString: [UInt8]] = [:]
        private var seq: UInt64 = 0

        mutating func show(_ key: String, _ payload: String) { shown[ByteString(key)] = Array(payload.utf8) }

        mutating func begin(_ key: String, _ payload: String, _ batch: UInt64? = nil) -> OracleOperation {
            seq += 1
            return begin(.put(seq, ByteString(key), Array(payload.utf8), txn: batch))
        }

        mutating func beginDelete(_ key: String) -> OracleOperation {
            seq += 1
            return begin(.delete(seq, ByteString(key)))
        }

        private mutating func begin(_ operation: OracleOperation) -> OracleOperation {
            lines.append(.begin(operation))
            return operation
        }

        mutating func finish(_ operation: OracleOperation, _ answer: Answer) {
            lines.append(answer == .acknowledged ? .acknowledged(operation) : .failed(operation))
        }

        mutating func acknowledge(_ key: String, _ payload: String) {
            seq += 1
            lines.append(.acknowledged(.put(seq, ByteString(key), Array(payload.utf8))))
            show(key, payload)
        }

        mutating func restart() { lines.append(.restart) }
    }
}

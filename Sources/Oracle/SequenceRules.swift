import Bytes

/// Checks the order of oracle lines.
///
/// An oracle has one of two forms; its first operation decides. *With intents*: begin lines count up by one from 0 or
/// 1; an answer (acknowledged or failed) repeats an unanswered begin line, in any order. *Plain*: only
/// acknowledgements, strictly rising from 0 or 1, with gaps allowed. After a restart the count continues or starts
/// again at 0 or 1. (After a torn line it may also skip the one torn number.)
///
/// The first answer closes a batch: no operation may join it any more, and all must have the same kind of answer. When
/// all are answered, its number may be reused.
///
/// Memory is in proportion to the operations in flight.
struct SequenceRules: Sendable {
    private enum Form { case undecided, intents, plain }
    private struct Batch {
        var unanswered: Int
        /// The kind of its first answer; nil while it has none.
        var isAcknowledged: Bool?
    }

    private var form = Form.undecided
    /// The highest number so far; nil before the first.
    private var last: UInt64?
    private var isNewLife = true
    private var maySkipOne = false
    private var unanswered: [UInt64: OracleOperation] = [:]
    private var batches: [UInt64: Batch] = [:]
    /// The lines where operations of this life failed, for error messages. Only recent ones.
    private var failures: [UInt64: Int] = [:]

    private static let failureLimit = 4096

    /// The number of unanswered operations.
    var inFlight: Int { unanswered.count }

    mutating func check(_ line: OracleLine, at number: Int, afterTornLine: Bool) throws(OracleError) {
        switch line {
        case .begin(let operation): try begin(operation, number)
        case .acknowledged(let operation) where form != .intents: try plain(operation, number)
        case .acknowledged(let operation): try answer(operation, number, isAcknowledged: true)
        case .failed(let operation): try answer(operation, number, isAcknowledged: false)
        case .restart:
            unanswered.removeAll()
            batches.removeAll()
            failures.removeAll()
            isNewLife = true
            maySkipOne = afterTornLine
        }
    }

    private mutating func begin(_ operation: OracleOperation, _ line: Int) throws(OracleError) {
        guard form != .plain else {
            throw .sequence(line: line, seq: operation.seq, rule: "a begin line in an oracle that began without them")
        }
        form = .intents
        let next = last.map { $0 &+ 1 }
        let skipsTorn = isNewLife && maySkipOne && operation.seq == next.map { $0 &+ 1 }
        guard operation.seq == next || startsAnew(operation.seq) || skipsTorn else {
            let rule = next.map { "begin lines rise by one: \($0) was due" } ?? "begin lines start at 0 or 1"
            throw .sequence(line: line, seq: operation.seq, rule: rule)
        }
        last = operation.seq
        isNewLife = false
        unanswered[operation.seq] = operation
        guard let txn = operation.txn else { return }
        guard batches[txn]?.isAcknowledged == nil else {
            throw .meaning(
                line: line, reason: "batch \(txn) already has an answer: no operation may join it")
        }
        batches[txn, default: Batch(unanswered: 0, isAcknowledged: nil)].unanswered += 1
    }

    private mutating func answer(
        _ operation: OracleOperation, _ line: Int, isAcknowledged: Bool
    ) throws(OracleError) {
        guard let begun = unanswered.removeValue(forKey: operation.seq) else {
            throw .sequence(line: line, seq: operation.seq, rule: reasonAgainstAnswer(operation.seq))
        }
        if !isAcknowledged {
            if failures.count >= Self.failureLimit { failures.removeAll() }
            failures[operation.seq] = line
        }
        guard begun.key == operation.key else { throw .answerDiffers(line: line, seq: operation.seq, field: "key") }
        guard begun.action == operation.action else {
            throw .answerDiffers(line: line, seq: operation.seq, field: "op or payload")
        }
        guard begun.txn == operation.txn else { throw .answerDiffers(line: line, seq: operation.seq, field: "txn") }
        guard let txn = operation.txn, let batch = batches[txn] else { return }
        guard batch.isAcknowledged ?? isAcknowledged == isAcknowledged else {
            throw .meaning(line: line, reason: "batch \(txn) has both acknowledged and failed operations")
        }
        batches[txn] =
            batch.unanswered == 1 ? nil : Batch(unanswered: batch.unanswered - 1, isAcknowledged: isAcknowledged)
    }

    /// The reason why an operation that is not in flight must not be answered.
    private func reasonAgainstAnswer(_ seq: UInt64) -> String {
        if let line = failures[seq] { return "it failed on line \(line), and an operation is answered once" }
        guard let last, seq <= last else { return "answered but not begun: no begin line has this number" }
        return "answered twice, or begun in an earlier life"
    }

    private mutating func plain(_ operation: OracleOperation, _ line: Int) throws(OracleError) {
        form = .plain
        if let last {
            guard operation.seq > last || startsAnew(operation.seq) else {
                throw .sequence(
                    line: line, seq: operation.seq,
                    rule: "acknowledgements without begin lines rise: \(last) was before")
            }
        } else if operation.seq > 1 {
            throw .sequence(
                line: line, seq: operation.seq, rule: "acknowledgements without begin lines start at 0 or 1")
        }
        last = operation.seq
        isNewLife = false
    }

    private func startsAnew(_ seq: UInt64) -> Bool { isNewLife && seq <= 1 }
}

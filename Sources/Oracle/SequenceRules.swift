import Bytes

/// Which line may follow which.
///
/// An oracle has one of two forms, told by its first operation. *With intents*: begin lines rise by one, from 0 or 1;
/// an answer (acknowledged or failed) names an operation that has begun and is unanswered, in any order, and repeats
/// it. *Plain*: acknowledgements alone, strictly rising from 0 or 1, gaps legal. After a restart the count goes on or
/// starts anew at 0 or 1 (where the restart follows a torn line, it may also skip the one number that was torn).
///
/// A batch is closed by its first answer: operations may not join it later, and all are answered alike. Once all are,
/// its number is free again.
///
/// Memory is in proportion to the operations in flight.
struct SequenceRules: Sendable {
    private enum Form { case undecided, intents, plain }
    private struct Batch {
        var unanswered: Int
        /// How its first answer went; nil while it has none.
        var isAcknowledged: Bool?
    }

    private var form = Form.undecided
    /// The highest number so far; nil before the first.
    private var last: UInt64?
    private var isNewLife = true
    private var maySkipOne = false
    private var unanswered: [UInt64: OracleOperation] = [:]
    private var batches: [UInt64: Batch] = [:]
    /// The lines on which operations of this life were refused, for what an error says: not of all of them.
    private var refusals: [UInt64: Int] = [:]

    private static let refusalsAtMost = 4096

    /// Operations that have begun and have no answer.
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
            refusals.removeAll()
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
                line: line, reason: "batch \(txn) is answered in part: an operation may not join it any more")
        }
        batches[txn, default: Batch(unanswered: 0, isAcknowledged: nil)].unanswered += 1
    }

    private mutating func answer(
        _ operation: OracleOperation, _ line: Int, isAcknowledged: Bool
    ) throws(OracleError) {
        guard let begun = unanswered.removeValue(forKey: operation.seq) else {
            throw .sequence(line: line, seq: operation.seq, rule: whyNotDue(operation.seq))
        }
        if !isAcknowledged {
            if refusals.count >= Self.refusalsAtMost { refusals.removeAll() }
            refusals[operation.seq] = line
        }
        guard begun.key == operation.key else { throw .answerDiffers(line: line, seq: operation.seq, field: "key") }
        guard begun.action == operation.action else {
            throw .answerDiffers(line: line, seq: operation.seq, field: "op or payload")
        }
        guard begun.txn == operation.txn else { throw .answerDiffers(line: line, seq: operation.seq, field: "txn") }
        guard let txn = operation.txn, let batch = batches[txn] else { return }
        guard batch.isAcknowledged ?? isAcknowledged == isAcknowledged else {
            throw .meaning(line: line, reason: "batch \(txn) is acknowledged in part and failed in part")
        }
        batches[txn] =
            batch.unanswered == 1 ? nil : Batch(unanswered: batch.unanswered - 1, isAcknowledged: isAcknowledged)
    }

    /// Why an operation that is not in flight has no answer to come.
    private func whyNotDue(_ seq: UInt64) -> String {
        if let line = refusals[seq] { return "it was refused on line \(line), and an operation is answered once" }
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

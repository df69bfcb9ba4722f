import Bytes

/// "Atomic": a batch is there whole or not at all.
///
/// An acknowledged batch is there. Each other batch whose operations are of open outcome is *in* or *out*, and what
/// each key shows allows some choices and not others; the state is legal if one choice suits all keys (`BatchSearch`).
/// That is exact for keys whose value is legal by itself.
///
/// Where an acknowledged batch has lost a key, `durable` is broken already. It is also called half a batch where that
/// is certain: another key shows a value that the history first knew from this batch.
extension Judge {
    mutating func judgeBatches(_ observation: Observation) {
        guard judgement.unattributed.isEmpty else { return }
        judgeOpenBatches(observation)
        tellCertainHalves(observation)
    }

    private mutating func judgeOpenBatches(_ observation: Observation) {
        var search = BatchSearch()
        for number in open {
            let versions = versions(number)
            guard versions.contains(where: \.isUndecided) else { continue }
            search.add(
                BatchKey(
                    number: number, payload: payload(number, in: observation), versions: versions, order: order))
        }
        for contradiction in search.contradictions() { tell(contradiction, observation) }
    }

    private mutating func tell(_ contradiction: BatchSearch.Contradiction, _ observation: Observation) {
        let (number, batches) = (contradiction.number, contradiction.batches)
        let versions = versions(number)
        let begin = versions.first { batches.contains($0.batch) }?.begin
        tell(
            Violation(
                check: .atomic, key: validator.table[number],
                expected: versions.legal(order).map { Holding(payload: $0.payload, line: $0.line) },
                found: Holding(payload: payload(number, in: observation)), line: begin,
                detail: batches.count == 1
                    ? "other keys contradict this one on whether its batch happened"
                    : "no choice of which of \(batches.count.counted("batch", "batches")) happened explains this key and the others"
            ))
    }

    private mutating func tellCertainHalves(_ observation: Observation) {
        // By batch: a key that lacks it. Only keys with one version: then nothing else explains what they show.
        var lacking: [Int: Difference] = [:]
        for difference in differences where difference.isLoss {
            guard let number = difference.number, case let versions = versions(number), versions.count == 1,
                versions[0].batch != 0, lacking[versions[0].batch] == nil
            else { continue }
            lacking[versions[0].batch] = difference
        }
        guard !lacking.isEmpty else { return }
        var showing: [Int: (number: Int, entry: Int32)] = [:]
        for number in observed.indices where observed[number] >= 0 {
            let versions = versions(number)
            guard versions.count == 1, case let batch = versions[0].batch, lacking[batch] != nil,
                observed[number] < showing[batch]?.entry ?? .max,
                let payload = payload(number, in: observation), areSame(versions[0].kept, payload),
                validator.recall(payload, under: number, at: tally.line).firstHeld >= versions[0].begin
            else { continue }
            showing[batch] = (number, observed[number])
        }
        for (batch, shown) in showing.sorted(by: { $0.key < $1.key }) {
            guard let difference = lacking[batch] else { continue }
            tell(
                violation(
                    .atomic, difference,
                    detail: "key \(validator.table[shown.number]) shows the same batch"))
        }
    }
}

import Bytes

/// The check `atomic`: a batch survives completely or not at all.
///
/// An acknowledged batch survives. Each undecided batch either happened or did not. The state is legal if some choice
/// for all of them explains every key (`BatchSearch`). This is exact for keys whose value is legal on its own.
///
/// An acknowledged batch that lost a key already violates `durable`. It is also reported as a half batch if that is
/// certain: another key has a value that first appeared in this batch.
extension Judge {
    mutating func judgeBatches(_ observation: Observation) {
        guard judgement.unattributed.isEmpty else { return }
        judgeUndecidedBatches(observation)
        reportCertainHalfBatches(observation)
    }

    private mutating func judgeUndecidedBatches(_ observation: Observation) {
        var search = BatchSearch()
        for number in uncertainKeys {
            let versions = versions(number)
            guard versions.contains(where: \.isUndecided) else { continue }
            search.add(
                BatchKey(
                    number: number, payload: payload(number, in: observation), versions: versions, order: order))
        }
        for contradiction in search.contradictions() { report(contradiction, observation) }
    }

    private mutating func report(_ contradiction: BatchSearch.Contradiction, _ observation: Observation) {
        let (number, batches) = (contradiction.number, contradiction.batches)
        let versions = versions(number)
        let begin = versions.first { batches.contains($0.batch) }?.begin
        report(
            Violation(
                check: .atomic, key: validator.table[number],
                expected: versions.legal(order).map { KeyState(payload: $0.payload, line: $0.line) },
                found: KeyState(payload: payload(number, in: observation)), line: begin,
                detail: batches.count == 1
                    ? "other keys contradict this one on whether its batch happened"
                    : "no subset of the \(batches.count.counted("batch", "batches")) explains this key and the others"
            ))
    }

    private mutating func reportCertainHalfBatches(_ observation: Observation) {
        // By batch: a key that lacks it. Only keys with one version, where nothing else explains the value.
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
                validator.valueHistory(payload, under: number, at: tally.line).firstHeld >= versions[0].begin
            else { continue }
            showing[batch] = (number, observed[number])
        }
        for (batch, shown) in showing.sorted(by: { $0.key < $1.key }) {
            guard let difference = lacking[batch] else { continue }
            report(
                violation(
                    .atomic, difference,
                    detail: "key \(validator.table[shown.number]) shows the same batch"))
        }
    }
}

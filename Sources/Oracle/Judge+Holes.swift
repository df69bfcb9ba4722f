import Bytes

/// "No holes": some cut of the single writer's history explains the whole state.
///
/// Cuts at or after the last acknowledged operation are those that a durable store may show; they are tried exactly.
/// Only operations in flight begun after it lie between them, so no history is needed. Operations begun before the
/// last acknowledged one and without an answer, failed ones, and those that an unobserved restart left open are not in
/// the writer's pipeline any more: each may have happened or not.
///
/// If keys have lost acknowledged values, `durable` is broken whatever the cut. The state is then also called a hole
/// (where a lost tail is forgiven, `judgeTail` decides it) where that is certain: one key lacks an operation that another, begun no earlier, shows.
extension Judge {
    mutating func judgeHoles(_ observation: Observation) {
        if let line = tally.outOfOrder {
            judgement.unjudged[.noHoles] =
                "line \(line) acknowledges an operation after one begun later: several writers have no single order "
                + "(the contract durable asks for none)"
            return
        }
        guard judgement.unattributed.isEmpty else { return }
        if differences.contains(where: \.isLoss) {
            if contract.forgivesTail { judgeTail(observation) } else { tellCertainHole(observation) }
        } else {
            tryCuts(observation)
        }
    }

    private mutating func tellCertainHole(_ observation: Observation) {
        var lacking: (difference: Difference, begin: Int)?
        for difference in differences where difference.isLoss {
            guard let number = difference.number,
                let begin = versions(number).last(where: \.isCertain)?.begin, begin < lacking?.begin ?? .max
            else { continue }
            lacking = (difference, begin)
        }
        guard let lacking else { return }
        var shown: (number: Int, begin: Int)?
        for number in observed.indices {
            guard let payload = payload(number, in: observation) else { continue }
            let recall = validator.recall(payload, under: number, at: tally.line)
            if recall.isHeld, recall.firstHeld > shown?.begin ?? 0 { shown = (number, recall.firstHeld) }
        }
        guard let shown, shown.begin >= lacking.begin else { return }
        let later = validator.table[shown.number]
        var hole = violation(
            .noHoles, lacking.difference, detail: "key \(later) shows the later operation of line \(shown.begin)")
        hole.otherLines = [lacking.begin, shown.begin]
        tell(hole)
    }

    /// Tries every number of operations in flight that may have happened, oldest first.
    private mutating func tryCuts(_ observation: Observation) {
        let pipeline = open.flatMap { number in
            versions(number).filter { isInPipeline($0) }.map { (number: number, begin: $0.begin) }
        }.sorted { $0.begin < $1.begin }
        guard !pipeline.isEmpty else { return }
        var ranks: [Int: [Int]] = [:]
        for (rank, operation) in pipeline.enumerated() { ranks[operation.number, default: []].append(rank) }
        // Cut c lets the first c operations happen; `change` is how many more keys contradict c than c - 1.
        var change = [Int](repeating: 0, count: pipeline.count + 2)
        for (number, ranks) in ranks {
            var start = 0
            let explains = explanations(of: payload(number, in: observation), versions(number))
            for (end, isExplained) in zip(ranks + [pipeline.count], explains) {
                // For the cuts start...end this key has seen the same of its own operations.
                if !isExplained {
                    change[start] += 1
                    change[end + 1] -= 1
                }
                start = end + 1
            }
        }
        var contradicting = 0
        var best = (cut: 0, contradicting: Int.max)
        for cut in 0...pipeline.count {
            contradicting += change[cut]
            if contradicting < best.contradicting { best = (cut, contradicting) }
        }
        guard best.contradicting > 0 else { return }
        let cutLine = best.cut == 0 ? tally.lastCertainBegin : pipeline[best.cut - 1].begin
        for (number, ranks) in ranks.sorted(by: { $0.value[0] < $1.value[0] }) {
            let payload = payload(number, in: observation)
            let happened = ranks.count { $0 < best.cut }
            guard !explanations(of: payload, versions(number))[happened] else { continue }
            let shownBegin = versions(number).last { areSame($0.payload, payload) }?.begin
            tell(
                Violation(
                    check: .noHoles, key: validator.table[number],
                    expected: versions(number).filter { !isInPipeline($0) || $0.begin <= cutLine }.legal(order)
                        .map { Holding(payload: $0.payload, line: $0.line) },
                    found: Holding(payload: payload), line: cutLine,
                    otherLines: [shownBegin].compactMap(\.self) + ranks.map { pipeline[$0].begin },
                    detail: "no cut explains all keys; the best one, after the operation begun on line \(cutLine), "
                        + "leaves \(best.contradicting)"))
        }
    }

    private func isInPipeline(_ version: Version) -> Bool {
        version.isInFlight && version.begin > tally.lastCertainBegin
    }

    /// Whether the key may show `payload` if none of its operations in the pipeline happened, the first, the first two …
    ///
    /// It shows the last one that happened, or one that may have happened and began after that.
    private func explanations(of payload: [UInt8]?, _ versions: [Version]) -> [Bool] {
        var lastFree = 0
        var last = (begin: 0, isShown: false)
        for version in versions {
            let isShown = areSame(version.kept, payload)
            if version.isCertain {
                if version.begin >= last.begin { last = (version.begin, isShown) }
            } else if isShown && !isInPipeline(version) {
                lastFree = max(lastFree, version.begin)
            }
        }
        var explanations = [last.isShown || lastFree > last.begin]
        for version in versions where isInPipeline(version) {
            last = (version.begin, areSame(version.kept, payload))
            explanations.append(last.isShown || lastFree > last.begin)
        }
        return explanations
    }
}

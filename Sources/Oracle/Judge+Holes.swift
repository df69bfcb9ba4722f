import Bytes

/// The check `no-holes`: some cut of the single writer's history explains the whole state.
///
/// For a durable store only cuts at or after the last acknowledged operation are valid. They differ only in operations
/// in flight that began after it (the *pipeline*), so no history is needed, and all of them are tried. Other operations
/// without an acknowledgement (older unanswered ones, failed ones, those left open by an unobserved restart) may each
/// have happened or not.
///
/// If keys have lost acknowledged values, `durable` is violated at every cut. The state is then also reported as a hole
/// if that is certain: one key lacks an operation, and another shows one that began no earlier. (If a lost tail is
/// allowed, `judgeTail` decides instead.)
extension Judge {
    mutating func judgeHoles(_ observation: Observation) {
        if let line = tally.outOfOrder {
            judgement.unjudged[.noHoles] =
                "line \(line) acknowledges an operation after one that began later: several writers have no total order "
                + "(use the contract durable)"
            return
        }
        guard judgement.unattributed.isEmpty else { return }
        if differences.contains(where: \.isLoss) {
            if contract.allowsLostTail { judgeTail(observation) } else { reportCertainHole(observation) }
        } else {
            tryCuts(observation)
        }
    }

    private mutating func reportCertainHole(_ observation: Observation) {
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
            let history = validator.valueHistory(payload, under: number, at: tally.line)
            if history.isHeld, history.firstHeld > shown?.begin ?? 0 { shown = (number, history.firstHeld) }
        }
        guard let shown, shown.begin >= lacking.begin else { return }
        let later = validator.table[shown.number]
        var hole = violation(
            .noHoles, lacking.difference, detail: "key \(later) shows the later operation of line \(shown.begin)")
        hole.otherLines = [lacking.begin, shown.begin]
        report(hole)
    }

    /// Tries every prefix of the pipeline.
    private mutating func tryCuts(_ observation: Observation) {
        let pipeline = uncertainKeys.flatMap { number in
            versions(number).filter { isInPipeline($0) }.map { (number: number, begin: $0.begin) }
        }.sorted { $0.begin < $1.begin }
        guard !pipeline.isEmpty else { return }
        var ranks: [Int: [Int]] = [:]
        for (rank, operation) in pipeline.enumerated() { ranks[operation.number, default: []].append(rank) }
        // Cut c contains the first c operations. `change[c]` is the number of contradicting keys at c minus that at c -
        // 1.
        var change = [Int](repeating: 0, count: pipeline.count + 2)
        for (number, ranks) in ranks {
            var start = 0
            let explains = explanations(of: payload(number, in: observation), versions(number))
            for (end, isExplained) in zip(ranks + [pipeline.count], explains) {
                // The cuts start...end contain the same operations of this key.
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
            report(
                Violation(
                    check: .noHoles, key: validator.table[number],
                    expected: versions(number).filter { !isInPipeline($0) || $0.begin <= cutLine }.legal(order)
                        .map { KeyState(payload: $0.payload, line: $0.line) },
                    found: KeyState(payload: payload), line: cutLine,
                    otherLines: [shownBegin].compactMap(\.self) + ranks.map { pipeline[$0].begin },
                    detail: "no cut explains all keys; the best cut, after the operation begun on line \(cutLine), "
                        + "leaves \(best.contradicting.counted("key")) unexplained"))
        }
    }

    private func isInPipeline(_ version: Version) -> Bool {
        version.isInFlight && version.begin > tally.lastCertainBegin
    }

    /// Whether the key may have `payload` if none, the first, the first two … of its pipeline operations happened.
    ///
    /// It has the value of the last one that happened, or of a later one that may have happened.
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

import Bytes

/// "No holes" of a store that may lose acknowledged operations: some cut of the single writer's history, anywhere in it,
/// explains the whole state, so that all that is lost is a tail.
///
/// Every value that the history gave a key says between which operations it stood there; a cut is tried by counting the keys
/// that contradict it. Operations whose outcome is open (refused, or left open by a restart that nobody observed) may have
/// happened or not at any cut behind them. After an observed restart each key is what was seen then. Keys that show what
/// no operation ever gave them are other checks' business.
extension Judge {
    mutating func judgeTail(_ observation: Observation) {
        guard validator.keepsEverything else {
            judgement.unjudged[.noHoles] = "a lost tail is told from a hole by the whole history, which was not kept"
            return
        }
        let strange = Set(differences.filter { !$0.isLoss }.compactMap(\.number))
        let numbers = validator.records.indices.filter { !strange.contains($0) }
        let lines = Set(numbers.flatMap { past($0).map(\.line) }).sorted()
        let ranks = Dictionary(uniqueKeysWithValues: lines.enumerated().map { ($1, $0) })
        // Cut c lets the first c of these lines happen; `change` is how many more keys contradict c than c - 1.
        var change = [Int](repeating: 0, count: lines.count + 2)
        for number in numbers {
            var (start, isExplained) = (0, payload(number, in: observation) == nil)
            func end(_ end: Int) {
                guard !isExplained else { return }
                change[start] += 1
                change[end + 1] -= 1
            }
            for step in past(number) {
                let rank = ranks[step.line]!
                end(rank)
                start = rank + 1
                isExplained = explains(step, payload(number, in: observation), before: isExplained, of: number)
            }
            end(lines.count)
        }
        var contradicting = 0
        var best = (cut: 0, contradicting: Int.max)
        for cut in 0...lines.count {
            contradicting += change[cut]
            if contradicting <= best.contradicting { best = (cut, contradicting) }
        }
        // Without intents, operations that nobody wrote down may be behind some.
        let unrecorded =
            tally.hasIntents == true ? 0 : validator.options.plainInFlight * (tally.restarts.count + 1)
        guard best.contradicting > unrecorded else { return }
        let cutLine = best.cut == 0 ? 0 : lines[best.cut - 1]
        for number in numbers { tellHole(number, observation, cutLine, best.contradicting) }
    }

    /// What the history gave the key by now, in order.
    private func past(_ number: Int) -> ArraySlice<(line: Int, payload: KeptPayload?)> {
        let past = validator.records[number].past
        guard let last = past.last, last.line > tally.line else { return past[...] }
        return past.prefix { $0.line <= tally.line }
    }

    /// Whether the key may show `payload` behind this step, if it may have shown it `before`.
    private func explains(
        _ step: (line: Int, payload: KeptPayload?), _ payload: [UInt8]?, before: Bool, of number: Int
    ) -> Bool {
        let isShown = areSame(step.payload, payload)
        return validator.records[number].isOpen(begin: step.line, at: tally.line) ? before || isShown : isShown
    }

    /// Tells of a key that contradicts the cut.
    private mutating func tellHole(_ number: Int, _ observation: Observation, _ cutLine: Int, _ contradicting: Int) {
        let shown = payload(number, in: observation)
        var isExplained = shown == nil
        var expected = Holding(payload: nil)
        for step in past(number).prefix(while: { $0.line <= cutLine }) {
            isExplained = explains(step, shown, before: isExplained, of: number)
            expected = Holding(payload: step.payload?.bytes, line: step.line)
        }
        guard !isExplained else { return }
        let begins = past(number).filter { areSame($0.payload, shown) }.map(\.line)
        tell(
            Violation(
                check: .noHoles, key: validator.table[number], expected: [expected],
                found: Holding(payload: shown, line: begins.last), line: expected.line, otherLines: [cutLine],
                detail: "what is lost is no tail: no cut of the history explains all keys; the best one, after the "
                    + "operation begun on line \(cutLine), leaves \(contradicting.counted("key"))"))
    }
}

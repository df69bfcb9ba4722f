import Bytes

/// The check `no-holes` for a store that may lose acknowledged operations: some cut anywhere in the single writer's
/// history explains the whole state, so that only a tail is lost.
///
/// Each value in a key's history is valid for an interval of cuts. For each cut, count the keys that contradict it.
/// Operations with an unknown outcome (failed, or left open by an unobserved restart) may have happened at any later
/// cut. After an observed restart each key has its observed value. Keys with values outside their history are left to
/// other checks.
extension Judge {
    mutating func judgeTail(_ observation: Observation) {
        guard validator.keepsEverything else {
            judgement.unjudged[.noHoles] =
                "distinguishing a lost tail from a hole needs the whole history, which was not kept"
            return
        }
        let inexplicable = Set(differences.filter { !$0.isLoss }.compactMap(\.number))
        let numbers = validator.records.indices.filter { !inexplicable.contains($0) }
        let lines = Set(numbers.flatMap { past($0).map(\.line) }).sorted()
        let ranks = Dictionary(uniqueKeysWithValues: lines.enumerated().map { ($1, $0) })
        // Cut c contains the first c of these lines. `change[c]` is the number of contradicting keys at c minus that at
        // c - 1.
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
        // Without intents, unrecorded operations in flight may explain some keys.
        let unrecorded =
            tally.hasIntents == true ? 0 : validator.options.plainInFlight * (tally.restarts.count + 1)
        guard best.contradicting > unrecorded else { return }
        let cutLine = best.cut == 0 ? 0 : lines[best.cut - 1]
        for number in numbers { reportHole(number, observation, cutLine, best.contradicting) }
    }

    /// The key's history up to the judged line, in order.
    private func past(_ number: Int) -> ArraySlice<(line: Int, payload: KeptPayload?)> {
        let past = validator.records[number].past
        guard let last = past.last, last.line > tally.line else { return past[...] }
        return past.prefix { $0.line <= tally.line }
    }

    /// Whether the key may have `payload` after this step, given whether it may have had it `before`.
    private func explains(
        _ step: (line: Int, payload: KeptPayload?), _ payload: [UInt8]?, before: Bool, of number: Int
    ) -> Bool {
        let isShown = areSame(step.payload, payload)
        return validator.records[number].isOpen(begin: step.line, at: tally.line) ? before || isShown : isShown
    }

    /// Reports a key if it contradicts the cut.
    private mutating func reportHole(_ number: Int, _ observation: Observation, _ cutLine: Int, _ contradicting: Int) {
        let shown = payload(number, in: observation)
        var isExplained = shown == nil
        var expected = KeyState(payload: nil)
        for step in past(number).prefix(while: { $0.line <= cutLine }) {
            isExplained = explains(step, shown, before: isExplained, of: number)
            expected = KeyState(payload: step.payload?.bytes, line: step.line)
        }
        guard !isExplained else { return }
        let begins = past(number).filter { areSame($0.payload, shown) }.map(\.line)
        report(
            Violation(
                check: .noHoles, key: validator.table[number], expected: [expected],
                found: KeyState(payload: shown, line: begins.last), line: expected.line, otherLines: [cutLine],
                detail:
                    "not a lost tail: no cut of the history explains all keys; the best cut, after the operation begun "
                    + "on line \(cutLine), leaves \(contradicting.counted("key")) unexplained"))
    }
}

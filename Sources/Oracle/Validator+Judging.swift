import Bytes

extension Validator {
    /// Judges `evidence` by the oracle up to `line` (nil: all applied lines).
    ///
    /// An earlier line needs `Memory.everything`; `line` is rounded down to an applied one. Costs about one look-up for
    /// each observed key and each key of the oracle.
    public func judge(_ evidence: Evidence, contract: Contract, at line: Int? = nil) -> Judgement {
        var judge = Judge(self, contract, at: line)
        return judge.judge(evidence)
    }

    /// Judges a recovery without further evidence.
    public func judge(_ observation: Observation, contract: Contract, at line: Int? = nil) -> Judgement {
        judge(Evidence(.opened(observation)), contract: contract, at: line)
    }

    /// The tally after `line`.
    func tally(at line: Int?) -> Tally {
        guard let line, line < tally.line else { return tally }
        precondition(keepsEverything, "a streaming validator judges only at its last line")
        var low = 0
        var high = tallies.count
        while low < high {
            let middle = (low + high) / 2
            if tallies[middle].line <= line { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? Tally() : tallies[low - 1]
    }

    /// The versions of key `number` after `line`; empty when no operation had named it by then.
    @inline(__always)
    func versions(_ number: Int, at line: Int) -> [Version] {
        if records[number].isDropped { return [] }
        guard keepsEverything, line < tally.line else { return records[number].versions.current }
        return records[number].versions(after: line) ?? []
    }

    /// The history of `value` for key `number`, up to `line`.
    func valueHistory(_ value: [UInt8], under number: Int, at line: Int) -> ValueHistory {
        var history = ValueHistory()
        if keepsEverything {
            for past in records[number].past where past.line <= line {
                history.note(past.payload?.bytes, at: past.line, for: value)
            }
            return history
        }
        let watch = Int(records[number].watch)
        if watch >= 0, watched[watch].value.isSame(as: value) { return watched[watch].history }
        // Not the watched value: use what is still known of the key.
        history = self.valueHistory(value, underDropped: table[number])
        if watch >= 0 && watched[watch].history.isHeld {
            history.note(watched[watch].value, at: watched[watch].history.firstHeld, for: value)
        }
        for version in records[number].versions.current where version.begin > 0 {
            history.note(version.payload, at: version.begin, for: value)
        }
        return history
    }

    /// The history of `value` for a key without a record, from the sampled replaced values.
    func valueHistory(_ value: [UInt8], underDropped key: ByteString) -> ValueHistory {
        var history = ValueHistory()
        for old in replaced.overwritten where old.key == key { history.note(old.payload, at: 1, for: value) }
        for old in replaced.deleted where old.key == key { history.note(old.payload, at: 1, for: value) }
        return history
    }

    /// The number of unobserved restarts, as of `tally`, before `line`.
    func life(of line: Int, _ tally: Tally) -> Int {
        var (low, high) = (tally.restarts.lowerBound, tally.restarts.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if restarts[middle] < line { low = middle + 1 } else { high = middle }
        }
        return low - tally.restarts.lowerBound
    }

    /// Whether some operation is known to have named `key`.
    func isNamed(_ key: ByteString) -> Bool {
        table.number(of: key) != nil || replaced.deleted.contains { $0.key == key }
    }

    /// Keys that are deleted for good at `line`, each with an earlier payload.
    func deletedValues(at line: Int) -> [(key: ByteString, payload: [UInt8])] {
        func isGone(_ number: Int) -> Bool {
            let versions = versions(number, at: line)
            return versions.count == 1 && versions[0].kept == nil
        }
        guard keepsEverything else {
            return replaced.deleted.reversed().filter { table.number(of: $0.key).map(isGone) ?? true }
                .map { ($0.key, $0.payload) }
        }
        return records.indices.compactMap { number in
            guard isGone(number),
                let payload = records[number].past.last(where: { $0.line <= line && $0.payload != nil })?.payload?.bytes
            else { return nil }
            return (table[number], payload)
        }
    }
}

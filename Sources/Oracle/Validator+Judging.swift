import Bytes

extension Validator {
    /// What `evidence` says of the store, by the oracle up to `line` (nil: all that was applied).
    ///
    /// An earlier line needs `Memory.everything`; `line` is then rounded down to one that was applied. The cost is
    /// about that of one look-up for each observed key and each key of the oracle.
    public func judge(_ evidence: Evidence, contract: Contract, at line: Int? = nil) -> Judgement {
        var judge = Judge(self, contract, at: line)
        return judge.judge(evidence)
    }

    /// What recovery alone says of the store.
    public func judge(_ observation: Observation, contract: Contract, at line: Int? = nil) -> Judgement {
        judge(Evidence(.opened(observation)), contract: contract, at: line)
    }

    /// The tally after `line`.
    func tally(at line: Int?) -> Tally {
        guard let line, line < tally.line else { return tally }
        precondition(keepsEverything, "a validator that streams judges at its last line only")
        var low = 0
        var high = tallies.count
        while low < high {
            let middle = (low + high) / 2
            if tallies[middle].line <= line { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? Tally() : tallies[low - 1]
    }

    /// The versions of key `number` after `line`; empty when the oracle had not named it by then.
    @inline(__always)
    func versions(_ number: Int, at line: Int) -> [Version] {
        if records[number].isDropped { return [] }
        guard keepsEverything, line < tally.line else { return records[number].versions.current }
        return records[number].versions(after: line) ?? []
    }

    /// What the history up to `line` says of `value` under key `number`.
    func recall(_ value: [UInt8], under number: Int, at line: Int) -> Recall {
        var recall = Recall()
        if keepsEverything {
            for past in records[number].past where past.line <= line {
                recall.note(past.payload?.bytes, at: past.line, for: value)
            }
            return recall
        }
        let watch = Int(records[number].watch)
        if watch >= 0, watched[watch].value.isSame(as: value) { return watched[watch].recall }
        // Not the value that was watched: what is still known of the key has to do.
        recall = self.recall(value, underForgotten: table[number])
        if watch >= 0 && watched[watch].recall.isHeld {
            recall.note(watched[watch].value, at: watched[watch].recall.firstHeld, for: value)
        }
        for version in records[number].versions.current where version.begin > 0 {
            recall.note(version.payload, at: version.begin, for: value)
        }
        return recall
    }

    /// What is remembered of a key that has no record any more.
    func recall(_ value: [UInt8], underForgotten key: ByteString) -> Recall {
        var recall = Recall()
        for old in replaced.overwritten where old.key == key { recall.note(old.payload, at: 1, for: value) }
        for old in replaced.deleted where old.key == key { recall.note(old.payload, at: 1, for: value) }
        return recall
    }

    /// How many of the lives that nobody saw, as of `tally`, had begun by `line`.
    func life(of line: Int, _ tally: Tally) -> Int {
        var (low, high) = (tally.restarts.lowerBound, tally.restarts.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if restarts[middle] < line { low = middle + 1 } else { high = middle }
        }
        return low - tally.restarts.lowerBound
    }

    /// Whether an operation is known to have named `key`.
    func isNamed(_ key: ByteString) -> Bool {
        table.number(of: key) != nil || replaced.deleted.contains { $0.key == key }
    }

    /// Keys whose delete is acknowledged and final at `line`, each with a payload that it held before.
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

/// A map from sequence numbers to LSNs. Both rise by one from event to event, except after a checkpoint or skipped damage. It
/// has one entry for each run without such a gap.
struct SequenceMap {
    private struct Run {
        var sequence: UInt64
        var lsn: UInt64
        var count: UInt64
    }

    private var runs: [Run] = []
    /// The last sequence number ever used; 0 if there is none.
    private(set) var lastSequence: UInt64 = 0
    private var lastLSN: UInt64 = 0

    /// Returns false, and changes nothing, if the event does not follow the previous ones.
    mutating func append(_ sequence: UInt64, lsn: UInt64) -> Bool {
        guard sequence > lastSequence, lsn > lastLSN else { return false }
        if !runs.isEmpty, sequence - lastSequence == 1, lsn - lastLSN == 1 {
            runs[runs.count - 1].count += 1
        } else {
            runs.append(Run(sequence: sequence, lsn: lsn, count: 1))
        }
        lastSequence = sequence
        lastLSN = lsn
        return true
    }

    /// Records that sequence numbers up to this one are used, although their events are removed.
    mutating func skip(through sequence: UInt64) { lastSequence = max(lastSequence, sequence) }

    /// The first existing event; nil if there is none.
    var firstSequence: UInt64? { runs.first?.sequence }

    /// The LSN of the event, or of the first one after it; nil if there is none.
    func lsn(atOrAfter sequence: UInt64) -> UInt64? {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].sequence + runs[middle].count <= sequence { low = middle + 1 } else { high = middle }
        }
        guard low < runs.count else { return nil }
        return runs[low].lsn + (max(sequence, runs[low].sequence) - runs[low].sequence)
    }

    /// Removes the records before `lsn`.
    mutating func removeAll(before lsn: UInt64) {
        let gone = runs.prefix { $0.lsn + $0.count <= lsn }.count
        runs.removeFirst(gone)
        guard let first = runs.first, first.lsn < lsn else { return }
        let cut = lsn - first.lsn
        runs[0] = Run(sequence: first.sequence + cut, lsn: lsn, count: first.count - cut)
    }
}

/// The versions of a key after each line that changed them, for judging at any line.
///
/// Each entry stores its step, and some store a snapshot of all versions: always while they are few, otherwise after as
/// many steps as there are versions. So memory is linear in the steps, and a look-up is linear in its result.
struct VersionLog: Sendable {
    private struct LogEntry: Sendable {
        var line: Int
        var step: LiveVersions.Step
        /// The snapshot after the step; nil to replay the steps since the last snapshot.
        var versions: LiveVersions?
    }

    private var entries: [LogEntry] = []
    private var stepsSinceSnapshot = 0

    /// Up to this many versions, every step has a snapshot.
    private static let smallCount = 4

    mutating func note(_ step: LiveVersions.Step, at line: Int, leaving versions: LiveVersions) {
        stepsSinceSnapshot += 1
        let isSnapshotDue = entries.isEmpty || versions.storedCount <= max(Self.smallCount, stepsSinceSnapshot)
        entries.append(LogEntry(line: line, step: step, versions: isSnapshotDue ? versions : nil))
        if isSnapshotDue { stepsSinceSnapshot = 0 }
    }

    /// The versions after `line`; nil when no operation had named the key by then.
    func versions(after line: Int) -> [Version]? {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].line <= line { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        var start = low - 1
        while entries[start].versions == nil { start -= 1 }
        guard var versions = entries[start].versions else { return nil }
        for entry in entries[(start + 1)..<low] { versions.apply(entry.step) }
        return versions.current
    }
}

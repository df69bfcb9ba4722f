/// What a key's versions were after each line that changed them, for judging at any of them.
///
/// Each line keeps its step, and now and then all versions: as often as they are few, else after as many steps as there
/// are versions. So memory is in proportion to the steps, and looking one up costs about what there is to answer.
struct VersionLog: Sendable {
    private struct Entry: Sendable {
        var line: Int
        var step: LiveVersions.Step
        /// All versions after the step; nil where the steps since the last ones have to be done again.
        var versions: LiveVersions?
    }

    private var entries: [Entry] = []
    private var stepsSinceVersions = 0

    /// Up to here all versions are kept at each step.
    private static let smallCount = 4

    mutating func note(_ step: LiveVersions.Step, at line: Int, leaving versions: LiveVersions) {
        stepsSinceVersions += 1
        let isDue = entries.isEmpty || versions.storedCount <= max(Self.smallCount, stepsSinceVersions)
        entries.append(Entry(line: line, step: step, versions: isDue ? versions : nil))
        if isDue { stepsSinceVersions = 0 }
    }

    /// The versions after line `line`; nil when the key had not been named by then.
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

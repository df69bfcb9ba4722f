/// A key with operations in undecided batches, and the options that explain its observed value.
struct BatchKey {
    /// An operation that may be the key's last one.
    struct Option {
        /// The batch that must have happened; nil if the operation is in no undecided batch.
        var batch: Int?
        /// The first of the key's undecided operations that would replace it. From there on, no batch may have
        /// happened.
        var firstReplacing: Int
    }

    let number: Int
    /// Its operations in undecided batches, in begin order.
    let versions: [(batch: Int, begin: Int)]
    /// Sorted: later options are replaced by fewer operations.
    let options: [Option]

    init(number: Int, payload: [UInt8]?, versions all: [Version], order: Order) {
        self.number = number
        let undecided = all.filter(\.isUndecided)
        versions = undecided.map { ($0.batch, $0.begin) }
        var lastOfBatch: [Int: Int] = [:]
        for version in undecided { lastOfBatch[version.batch] = version.begin }
        let succession = LastWriteCandidates(all, order)
        var free: Int?
        var options: [Option] = []
        for version in all where areSame(version.kept, payload) && succession.mayBeLast(version) {
            let firstReplacing = Self.firstReplacing(version, undecided, order)
            if !version.isUndecided {
                free = max(free ?? 0, firstReplacing)
            } else if lastOfBatch[version.batch] == version.begin {
                options.append(Option(batch: version.batch, firstReplacing: firstReplacing))
            }
        }
        // An option that needs no batch makes all options redundant that exclude at least as much.
        if let free {
            options.removeAll { $0.firstReplacing <= free }
            options.append(Option(batch: nil, firstReplacing: free))
        }
        self.options = options.sorted { $0.firstReplacing < $1.firstReplacing }
    }

    /// Whether every choice of batches explains the key.
    var isAlwaysExplained: Bool {
        options.first.map { $0.batch == nil && $0.firstReplacing == versions.count } ?? false
    }

    /// The first undecided operation that replaces `version`: one that began after its answer or, with a single writer,
    /// after its begin line.
    private static func firstReplacing(_ version: Version, _ undecided: [Version], _ order: Order) -> Int {
        let from = order == .realTime ? version.closed : version.begin
        var (low, high) = (0, undecided.count)
        while low < high {
            let middle = (low + high) / 2
            if undecided[middle].begin <= from { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Version {
    /// Whether it took effect if and only if its batch did.
    var isUndecided: Bool { !isCertain && batch != 0 }
}

/// A key with operations of undecided batches, and the ways to explain what it shows.
struct BatchKey {
    /// One operation as the key's last one.
    struct Option {
        /// The batch that must have happened; nil where the operation belongs to none that is undecided.
        var batch: Int?
        /// The first of the key's undecided operations that replace it: none of their batches may have happened.
        var firstReplacing: Int
    }

    let number: Int
    /// Its operations in undecided batches, in begin order.
    let versions: [(batch: Int, begin: Int)]
    /// The later one is replaced by fewer.
    let options: [Option]

    init(number: Int, payload: [UInt8]?, versions all: [Version], order: Order) {
        self.number = number
        let undecided = all.filter(\.isUndecided)
        versions = undecided.map { ($0.batch, $0.begin) }
        var lastOfBatch: [Int: Int] = [:]
        for version in undecided { lastOfBatch[version.batch] = version.begin }
        let succession = Succession(all, order)
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
        // What asks for no batch makes each option needless that excludes as much.
        if let free {
            options.removeAll { $0.firstReplacing <= free }
            options.append(Option(batch: nil, firstReplacing: free))
        }
        self.options = options.sorted { $0.firstReplacing < $1.firstReplacing }
    }

    /// Whatever happened, the key may show what it shows.
    var isAlwaysExplained: Bool {
        options.first.map { $0.batch == nil && $0.firstReplacing == versions.count } ?? false
    }

    /// Replacing is in the order of begin lines: after an operation's answer, or, with one writer, after its begin line.
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
    /// Whether it happened depends on whether its batch did.
    var isUndecided: Bool { !isCertain && batch != 0 }
}

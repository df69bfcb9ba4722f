/// Decides a group of keys that share undecided batches. `BatchSearch` describes the algorithm.
struct BatchGroup {
    private let keys: [BatchKey]
    /// For each key, the batch indexes of its operations, and of its options (nil: no undecided batch).
    private let batchesOfVersions: [[Int]]
    private let batchesOfOptions: [[Int?]]
    /// By batch index: the keys that the batch has operations on.
    private var keysOfBatch: [[Int]]

    /// By batch index: whether the batch cannot have happened.
    private var isExcluded: [Bool]
    /// For each key, how many options are left, and the first of its operations from which on all are excluded.
    private var optionsLeft: [Int]
    private var firstExcluded: [Int]

    init(_ keys: [BatchKey]) {
        var indexes: [Int: Int] = [:]
        for version in keys.lazy.flatMap(\.versions) where indexes[version.batch] == nil {
            indexes[version.batch] = indexes.count
        }
        self.keys = keys
        batchesOfVersions = keys.map { $0.versions.compactMap { indexes[$0.batch] } }
        batchesOfOptions = keys.map { $0.options.map { $0.batch.flatMap { indexes[$0] } } }
        keysOfBatch = Array(repeating: [], count: indexes.count)
        isExcluded = Array(repeating: false, count: indexes.count)
        optionsLeft = keys.map(\.options.count)
        firstExcluded = keys.map(\.versions.count)
        for (key, versions) in batchesOfVersions.enumerated() {
            for batch in versions { keysOfBatch[batch].append(key) }
        }
    }

    /// A key that no choice of batches explains together with the others; nil if some choice explains all keys.
    mutating func keyWithoutOption() -> BatchKey? {
        var pending = Array(keys.indices)
        var next = 0
        while next < pending.count {
            let key = pending[next]
            next += 1
            // Options are sorted: the last remaining one excludes the fewest operations.
            while let last = batchesOfOptions[key][..<optionsLeft[key]].last, let batch = last, isExcluded[batch] {
                optionsLeft[key] -= 1
            }
            guard let option = keys[key].options[..<optionsLeft[key]].last else { return keys[key] }
            guard option.firstReplacing < firstExcluded[key] else { continue }
            for batch in batchesOfVersions[key][option.firstReplacing..<firstExcluded[key]] where !isExcluded[batch] {
                isExcluded[batch] = true
                pending += keysOfBatch[batch]
            }
            firstExcluded[key] = option.firstReplacing
        }
        return nil
    }
}

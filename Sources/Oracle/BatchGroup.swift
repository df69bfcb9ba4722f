/// Decides keys together that share undecided batches: `BatchSearch` says how.
struct BatchGroup {
    private let keys: [BatchKey]
    /// For each key, the places of its operations' batches, and of its options' (nil: happened in any case).
    private let placesOfVersions: [[Int]]
    private let placesOfOptions: [[Int?]]
    /// By place of the batch: the keys that it has operations on.
    private var users: [[Int]]

    /// By place of the batch: whether it cannot have happened.
    private var isOut: [Bool]
    /// For each key, how many options are left, and from which of its operations on none happened.
    private var optionsLeft: [Int]
    private var firstOut: [Int]

    init(_ keys: [BatchKey]) {
        var places: [Int: Int] = [:]
        for version in keys.lazy.flatMap(\.versions) where places[version.batch] == nil {
            places[version.batch] = places.count
        }
        self.keys = keys
        placesOfVersions = keys.map { $0.versions.compactMap { places[$0.batch] } }
        placesOfOptions = keys.map { $0.options.map { $0.batch.flatMap { places[$0] } } }
        users = Array(repeating: [], count: places.count)
        isOut = Array(repeating: false, count: places.count)
        optionsLeft = keys.map(\.options.count)
        firstOut = keys.map(\.versions.count)
        for (key, versions) in placesOfVersions.enumerated() { for place in versions { users[place].append(key) } }
    }

    /// A key that no choice of batches explains together with the others; nil when one choice explains all.
    mutating func keyWithoutOption() -> BatchKey? {
        var pending = Array(keys.indices)
        var next = 0
        while next < pending.count {
            let key = pending[next]
            next += 1
            // Options are sorted: what is left of them says best what the last one excludes.
            while let last = placesOfOptions[key][..<optionsLeft[key]].last, let place = last, isOut[place] {
                optionsLeft[key] -= 1
            }
            guard let option = keys[key].options[..<optionsLeft[key]].last else { return keys[key] }
            guard option.firstReplacing < firstOut[key] else { continue }
            for place in placesOfVersions[key][option.firstReplacing..<firstOut[key]] where !isOut[place] {
                isOut[place] = true
                pending += users[place]
            }
            firstOut[key] = option.firstReplacing
        }
        return nil
    }
}

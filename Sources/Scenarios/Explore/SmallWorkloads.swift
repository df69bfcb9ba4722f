import Targets

/// All sequences of `length` small steps. Shorter ones are not needed: they are prefixes of these.
struct SmallWorkloads {
    package let steps: [SmallStep]
    package let length: Int

    package var count: Int { (0..<length).reduce(1) { product, _ in product * steps.count } }

    /// The sequence with this index, from 0.
    package subscript(_ number: Int) -> [SmallStep] {
        var rest = number
        return (0..<length).map { _ in
            defer { rest /= steps.count }
            return steps[rest % steps.count]
        }
    }
}

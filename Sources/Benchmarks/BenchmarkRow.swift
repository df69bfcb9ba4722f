/// One row of a benchmark: a value beside its yardstick from the same run, and whether it meets its aim.
package struct BenchmarkRow: Encodable, Sendable {
    package enum Aim: Sendable {
        case atMost(Double)
        case atLeast(Double)
        /// The ratio to the baseline.
        case ratioAtLeast(Double)
        case ratioAtMost(Double)
        /// No aim: the yardstick is only for comparison.
        case none
    }

    package var name: String
    package var value: Double
    package var unit: String
    package var baseline: String
    package var baselineValue: Double
    private var aim: Aim

    package init(name: String, value: Double, unit: String, baseline: String, baselineValue: Double, aim: Aim) {
        self.name = name
        self.value = value
        self.unit = unit
        self.baseline = baseline
        self.baselineValue = baselineValue
        self.aim = aim
    }

    /// The value divided by the baseline's.
    package var ratio: Double { value / baselineValue }

    package var aimText: String {
        switch aim {
        case .atMost(let limit): "at most \(limit) \(unit)"
        case .atLeast(let limit): "at least \(limit) \(unit)"
        case .ratioAtLeast(let limit): "at least \(limit) of it"
        case .ratioAtMost(let limit): "at most \(limit) of it"
        case .none: "none"
        }
    }

    package var meetsAim: Bool {
        switch aim {
        case .atMost(let limit): value <= limit
        case .atLeast(let limit): value >= limit
        case .ratioAtLeast(let limit): ratio >= limit
        case .ratioAtMost(let limit): ratio <= limit
        case .none: true
        }
    }

    private enum CodingKeys: String, CodingKey {
        case name, value, unit, baseline, baselineValue, ratio, aim, meetsAim
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(value, forKey: .value)
        try fields.encode(unit, forKey: .unit)
        try fields.encode(baseline, forKey: .baseline)
        try fields.encode(baselineValue, forKey: .baselineValue)
        try fields.encode(ratio, forKey: .ratio)
        try fields.encode(aimText, forKey: .aim)
        try fields.encode(meetsAim, forKey: .meetsAim)
    }
}

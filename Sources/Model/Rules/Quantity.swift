/// Numbers with units, as in rules. They print with the largest unit that divides them.
enum Quantity {
    /// Bytes: `100`, `4KiB`, `10MiB`.
    static let bytes: [(unit: String, scale: UInt64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1),
    ]

    /// Time in nanoseconds: `20ms`, `1s`. A unit is always written.
    static let time: [(unit: String, scale: UInt64)] = [
        ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
    ]

    static func text(_ value: UInt64, _ units: [(unit: String, scale: UInt64)]) -> String {
        let fitting = units.first { value != 0 && value % $0.scale == 0 } ?? units.last!
        return "\(value / fitting.scale)\(fitting.unit)"
    }

    /// nil if the text is not a number with one of the units, or is too large.
    static func parse(_ text: some StringProtocol, _ units: [(unit: String, scale: UInt64)]) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = UInt64(digits), let unit = units.first(where: { $0.unit == text.dropFirst(digits.count) })
        else { return nil }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit.scale)
        return overflow ? nil : value
    }
}

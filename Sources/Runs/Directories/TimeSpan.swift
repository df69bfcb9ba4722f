/// A duration as written on the command line and in a matrix: `90`, `90s`, `10m`, `8h`, `2d`, `300ms`.
package struct TimeSpan: Hashable, Sendable {
    package var milliseconds: Int

    /// Rounded up.
    package var seconds: Int { (milliseconds + 999) / 1000 }
    package var duration: Duration { .milliseconds(milliseconds) }

    package init(milliseconds: Int) { self.milliseconds = milliseconds }

    /// Nil if the text is not a duration, not positive, or its number is above 1000000.
    package init?(argument: String) {
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        let unit = units.first { argument.hasSuffix($0.0) }
        let digits = argument.dropLast(unit?.0.count ?? 0)
        guard let number = Int(digits), number > 0, number <= 1_000_000 else { return nil }
        milliseconds = number * (unit?.1 ?? 1000)
    }
}

extension TimeSpan: CustomStringConvertible {
    package var description: String { milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms" }
}

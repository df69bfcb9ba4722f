/// A time as a person writes it, on the command line and in a matrix: `90`, `90s`, `10m`, `8h`, `2d`.
package struct TimeSpan: Hashable, Sendable {
    package var seconds: Int

    package var duration: Duration { .seconds(seconds) }

    /// Nil for what is no time, is not positive, or has a number beyond 1000000.
    package init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard let number = Int(digits), number > 0, number <= 1_000_000 else { return nil }
        seconds = number * (unit ?? 1)
    }
}

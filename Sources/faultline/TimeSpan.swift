import ArgumentParser

/// A time on the command line: `90`, `90s`, `10m`, `8h`.
struct TimeSpan: ExpressibleByArgument {
    var duration: Duration

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard let number = Int(digits), number > 0, number <= 1_000_000 else { return nil }
        duration = .seconds(number * (unit ?? 1))
    }
}

/// How long an operation is delayed.
public enum Delay: Hashable, Sendable {
    case constant(nanoseconds: UInt64)
    /// Uniformly distributed over the range.
    case uniform(nanoseconds: ClosedRange<UInt64>)
    /// Exponentially distributed: mostly short, sometimes long, like a busy device.
    case exponential(meanNanoseconds: UInt64)

    /// The longest delay in a rule: one day. A draw from an exponential delay may be longer.
    public static let longestNanoseconds: UInt64 = 86_400_000_000_000

    /// Draws one delay in nanoseconds.
    func draw(from stream: inout RandomStream) -> UInt64 {
        switch self {
        case .constant(let duration): return duration
        case .uniform(let range):
            let (count, overflow) = (range.upperBound - range.lowerBound).addingReportingOverflow(1)
            return overflow ? stream.next() : range.lowerBound + stream.next(upperBound: count)
        case .exponential(let mean):
            let (whole, fraction) = Delay.exponential(&stream)
            let (scaled, overflow) = mean.multipliedReportingOverflow(by: whole)
            let sum = scaled.addingReportingOverflow(mean.multipliedFullWidth(by: fraction).high)
            return overflow || sum.overflow ? .max : sum.partialValue
        }
    }

    /// A draw from the exponential distribution of mean 1, as a whole part and a fraction of 2⁶⁴. It only compares uniform
    /// random numbers, without floating point, so that it is the same on every machine (von Neumann, "Various techniques
    /// used in connection with random digits", 1951).
    private static func exponential(_ stream: inout RandomStream) -> (whole: UInt64, fraction: UInt64) {
        var whole: UInt64 = 0
        while true {
            let first = stream.next()
            var last = first
            var runLength = 1
            while case let number = stream.next(), number < last {
                last = number
                runLength += 1
            }
            if runLength % 2 == 1 { return (whole, first) }
            whole += 1
        }
    }
}

extension Delay: CustomStringConvertible {
    public var description: String {
        func text(_ nanoseconds: UInt64) -> String { Quantity.text(nanoseconds, Quantity.time) }
        switch self {
        case .constant(let duration): return text(duration)
        case .uniform(let range): return "\(text(range.lowerBound))..\(text(range.upperBound))"
        case .exponential(let mean): return "exponential \(text(mean))"
        }
    }
}

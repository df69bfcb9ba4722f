/// An amount of memory as written on the command line: `512M`, `2G`, `1500M`, `67108864`.
package struct MemorySize: Hashable, Sendable {
    package var bytes: Int

    /// The smallest usable limit: the program itself takes half of it.
    package static let least = MemorySize(bytes: 64 << 20)

    package init(bytes: Int) { self.bytes = bytes }

    /// Nil if the text is not an amount or exceeds a pebibyte. Units are powers of 1024: K, M, G, T; without a unit,
    /// bytes.
    package init?(argument: String) {
        let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)]
        let text = argument.uppercased()
        let unit = units.first { text.hasSuffix($0.0) }
        guard let number = Int(text.dropLast(unit == nil ? 0 : 1)), number > 0 else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (unit?.1 ?? 0))
        guard !overflow, bytes <= 1 << 50 else { return nil }
        self.bytes = bytes
    }
}

extension MemorySize: CustomStringConvertible {
    /// In T or G if that is a whole number, else in mebibytes, rounded up.
    package var description: String {
        for (unit, shift) in [("T", 40), ("G", 30)] where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return "\((bytes + (1 << 20) - 1) >> 20)M"
    }
}

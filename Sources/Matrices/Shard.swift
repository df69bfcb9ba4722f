/// A part of a matrix for one of several machines: every `count`-th cell, from cell `number` on.
package struct Shard: Hashable, Codable, Sendable, CustomStringConvertible {
    /// From 1.
    package var number: Int
    package var count: Int

    package static let whole = Shard(number: 1, count: 1)

    private init(number: Int, count: Int) {
        self.number = number
        self.count = count
    }

    /// Reads `2/5`.
    package init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let number = parts[0], let count = parts[1], (1...10_000).contains(count),
            (1...count).contains(number)
        else { return nil }
        self.init(number: number, count: count)
    }

    /// - Parameter index: the cell's position in the matrix, from 0.
    package func holds(_ index: Int) -> Bool { index % count == number - 1 }

    package var description: String { "\(number)/\(count)" }
}

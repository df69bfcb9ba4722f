/// Finds the likely intended word for a misspelt one.
package enum Spelling {
    /// The nearest of the known words (Levenshtein distance), if its distance is at most a third of the word's length.
    package static func nearest(to word: String, in known: [String]) -> String? {
        known.map { ($0, distance($0, word)) }.filter { $0.1 <= max(1, word.count / 3) }.min { $0.1 < $1.1 }?.0
    }

    private static func distance(_ one: String, _ two: String) -> Int {
        let (one, two) = (Array(one.prefix(64)), Array(two.prefix(64)))
        var row = Array(0...two.count)
        for (index, letter) in one.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in two.indices {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (letter == two[column] ? 0 : 1))
                diagonal = above
            }
        }
        return row[two.count]
    }
}

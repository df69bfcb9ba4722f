extension String {
    /// Shortens each overlong word, such as a path of kilobytes, by leaving out its middle.
    package func withLongWordsShortened(to mostCharacters: Int = 512) -> String {
        split(separator: " ", omittingEmptySubsequences: false).map { word in
            guard word.utf8.count > mostCharacters, word.count > mostCharacters else { return String(word) }
            let half = mostCharacters / 2
            return "\(word.prefix(half))… (\(word.count - 2 * half) more) …\(word.suffix(half))"
        }.joined(separator: " ")
    }
}

extension BinaryInteger {
    /// So many of a thing, in words: `1 record`, `2 records`.
    ///
    /// - Parameter many: the word for more than one, or none; without it the noun with an s.
    package func counted(_ noun: String, _ many: String? = nil) -> String {
        self == 1 ? "1 \(noun)" : "\(self) \(many ?? noun + "s")"
    }
}

extension BinaryInteger {
    /// The number with its noun: `1 record`, `2 records`.
    ///
    /// - Parameter many: the plural; by default the noun with an s.
    package func counted(_ noun: String, _ many: String? = nil) -> String {
        self == 1 ? "1 \(noun)" : "\(self) \(many ?? noun + "s")"
    }
}

import Oracle

/// A verdict as a word, a symbol and a style class, so never by colour alone.
struct HTMLVerdict: Hashable, Encodable {
    var word: String
    var symbol: String
    /// `good`, `bad`, `doubtful` or `faint`.
    var tone: String

    init(word: String, symbol: String, tone: String) {
        (self.word, self.symbol, self.tone) = (word, symbol, tone)
    }

    init(_ verdict: Verdict) { self.init(verdict, word: verdict.rawValue) }

    init(_ verdict: Verdict, word: String) {
        self.word = word
        switch verdict {
        case .pass: (symbol, tone) = ("✓", "good")
        case .violation: (symbol, tone) = ("✗", "bad")
        case .harnessError: (symbol, tone) = ("!", "bad")
        case .inconclusive, .filesystem: (symbol, tone) = ("?", "doubtful")
        }
    }
}

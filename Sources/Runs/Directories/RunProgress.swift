import Exploration

/// What a run is doing, for people and programs that wait for it. An exploration also says how far it is.
package struct RunProgress: Hashable, Sendable {
    package var words: String
    package var step: ExplorationStep?

    package init(_ words: String, _ step: ExplorationStep? = nil) {
        self.words = words
        self.step = step
    }

    /// The same as a part of something larger, which `words` name.
    package func within(_ words: String) -> RunProgress {
        RunProgress(self.words.isEmpty ? words : "\(words), \(self.words)", step)
    }
}

extension RunProgress: ExpressibleByStringInterpolation {
    package init(stringLiteral words: String) { self.init(words) }
}

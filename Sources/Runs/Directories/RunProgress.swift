import Exploration

/// The progress of a run, for people and programs. An exploration also reports its step.
package struct RunProgress: Hashable, Sendable {
    package var words: String
    package var step: ExplorationStep?

    package init(_ words: String, _ step: ExplorationStep? = nil) {
        self.words = words
        self.step = step
    }

    /// A copy with `words` as a prefix, for a part of a larger task.
    package func within(_ words: String) -> RunProgress {
        RunProgress(self.words.isEmpty ? words : "\(words), \(self.words)", step)
    }
}

extension RunProgress: ExpressibleByStringInterpolation {
    package init(stringLiteral words: String) { self.init(words) }
}

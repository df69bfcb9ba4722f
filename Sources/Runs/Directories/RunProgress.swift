import Exploration

/// The progress of a run, for people and programs. An exploration also reports its step.
package struct RunProgress: Hashable, Sendable {
    package var words: String
    package var step: ExplorationStep?
    /// A line that stays, unlike the progress itself.
    package var line: String?

    package init(_ words: String, _ step: ExplorationStep? = nil, line: String? = nil) {
        self.words = words
        self.step = step
        self.line = line
    }

    /// A copy with `words` as a prefix, for a part of a larger task.
    package func within(_ words: String) -> RunProgress {
        RunProgress(
            self.words.isEmpty ? words : "\(words), \(self.words)", step, line: line.map { "\(words): \($0)" })
    }
}

extension RunProgress: ExpressibleByStringInterpolation {
    package init(stringLiteral words: String) { self.init(words) }
}

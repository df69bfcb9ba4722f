import Exploration
import Runs

/// The rate and the remaining time of a run, from its progress messages.
struct ProgressRate {
    private var words = ""
    private var first: (time: ContinuousClock.Instant, step: ExplorationStep)?

    /// The estimate for an exploration.
    struct Estimate: Hashable {
        var statesPerSecond: Int?
        var secondsLeft: Int?
    }

    /// The minimum time before a rate is shown: earlier it would be a guess.
    private static let leastSeconds = 0.5

    mutating func estimate(_ progress: RunProgress, at time: ContinuousClock.Instant) -> Estimate {
        guard let step = progress.step else { return Estimate() }
        // Another profile, or another run.
        if first == nil || progress.words != words || step.epochs < first!.step.epochs {
            (words, first) = (progress.words, (time, step))
        }
        guard let first else { return Estimate() }
        let seconds = first.time.duration(to: time) / .seconds(1)
        guard seconds >= Self.leastSeconds else { return Estimate() }
        let done = step.epochs - first.step.epochs
        return Estimate(
            statesPerSecond: Int(Double(step.states - first.step.states) / seconds),
            secondsLeft: done > 0 ? Int((seconds * Double(step.of - step.epochs) / Double(done)).rounded(.up)) : nil)
    }

    /// `ext4-ordered: 33 of 605 epochs, 1200 states, 310 a second, 2 findings, 40 s left`
    static func line(_ progress: RunProgress, _ estimate: Estimate) -> String {
        guard let step = progress.step else { return progress.words }
        var parts = [progress.words].filter { !$0.isEmpty }
        parts.append("\(step.epochs) of \(step.of.counted("epoch"))")
        parts.append(step.states.counted("state"))
        if let rate = estimate.statesPerSecond { parts.append("\(rate) a second") }
        if !step.found.isEmpty { parts.append(step.found.count.counted("finding")) }
        if let left = estimate.secondsLeft, left > 0 { parts.append(timeLeft(left)) }
        return parts.joined(separator: ", ")
    }

    /// `40 s left`, `3 min left`
    static func timeLeft(_ seconds: Int) -> String {
        seconds < 90 ? "\(seconds) s left" : "\((seconds + 59) / 60) min left"
    }
}

import Synchronization

/// The live line of a matrix: how many cells are done, how fast, and how long the rest will take.
package final class MatrixProgress: Sendable {
    private let progress: Progress
    private let began = ContinuousClock.now
    private let total: Int
    private let before: Int
    private let finished = Atomic<Int>(0)

    package init(total: Int, done: Int, progress: Progress = Progress()) {
        self.total = total
        before = done
        self.progress = progress
    }

    package func finishOne() { finished.add(1, ordering: .relaxed) }

    package func show(_ what: @autoclosure () -> String) { progress.show("\(head), \(what())") }

    package func clear() { progress.clear() }

    /// `7 of 20, 12.0 a minute, 1 min left`
    var head: String {
        let done = finished.load(ordering: .relaxed)
        var text = "\(before + done) of \(total)"
        guard done > 0 else { return text }
        let seconds = max(0.001, Double(began.duration(to: .now) / .seconds(1)))
        let rate = Double(done) / seconds
        let left = Double(total - before - done) / rate
        text += ", \((rate * 600).rounded() / 10) a minute"
        return text + (left < 90 ? ", \(Int(left.rounded(.up))) s left" : ", \(Int((left / 60).rounded(.up))) min left")
    }
}

import Platform

/// How many images were shown to the kernel, and where the time went. Thread safe.
package final class ImageTally: Sendable {
    package enum Step: String, CaseIterable, Codable, Sendable {
        /// The sectors that differ are written.
        case load
        /// mount(2), with the filesystem's own recovery.
        case mount
        /// Reading the files, and the target's two recoveries if they are new.
        case recover
        case unmount
        /// The filesystem's checker.
        case check
    }

    package struct Counts: Sendable {
        /// Images that the kernel was asked to mount.
        package var images = 0
        /// Images in which the target recovered. In the others were files that it had recovered before.
        package var recovered = 0
        /// Whether two recoveries of the same files differed, after which each image was recovered.
        package var recoveriesDiffered = false
        /// Images that the filesystem's checker looked at.
        package var checked = 0
        /// Seconds of all threads, by step.
        package var seconds: [Step: Double] = [:]
    }

    private let state = Guarded(Counts())

    package init() {}

    package var counts: Counts { state.withLock { $0 } }

    package func noteRecovery() { state.withLock { $0.recovered += 1 } }

    package func noteDifference() { state.withLock { $0.recoveriesDiffered = true } }

    package func noteCheck() { state.withLock { $0.checked += 1 } }

    package func time<Result>(_ step: Step, _ body: () throws -> Result) rethrows -> Result {
        let began = ContinuousClock.now
        defer {
            let spent = ContinuousClock.now - began
            let seconds = Double(spent.components.seconds) + Double(spent.components.attoseconds) / 1e18
            state.withLock { state in
                state.seconds[step, default: 0] += seconds
                if step == .mount { state.images += 1 }
            }
        }
        return try body()
    }
}

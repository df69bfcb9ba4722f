import Targets

extension RunResult {
    /// The seconds that an exploration spent in each step, summed over its threads.
    package struct Steps: Codable, Sendable {
        /// Deriving, choosing and judging states.
        package var derive = 0.0
        /// Writing the files of states, or serving them, comparing what recoveries leave, and removing it.
        package var files = 0.0
        /// Starting recover processes and servers.
        package var start = 0.0
        /// Recovering and dumping.
        package var recover = 0.0
        /// The store's own checker, if it is a command.
        package var check = 0.0
        /// Killing servers.
        package var stop = 0.0

        package init() {}

        /// Adds the recoveries of a client, and the seconds of deriving beside them.
        package mutating func add(_ clock: RecoveryClock, deriving seconds: Double) {
            derive += seconds
            start += clock.seconds(of: .start)
            recover += clock.seconds(of: .recover)
            check += clock.seconds(of: .check)
            stop += clock.seconds(of: .stop)
            let named = [RecoveryClock.Step.start, .recover, .check, .stop].reduce(0) { $0 + clock.seconds(of: $1) }
            files += max(0, clock.seconds(of: .whole) - named)
        }

        /// Every step with its name, in order.
        package var all: [(name: String, seconds: Double)] {
            [
                ("derive", derive), ("files", files), ("start", start), ("recover", recover), ("check", check),
                ("stop", stop),
            ]
        }
    }
}

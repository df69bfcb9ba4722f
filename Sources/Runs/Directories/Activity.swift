/// What a run is doing, for people who wait: told again before each recovery, which may take long. Not thread safe.
package final class Activity {
    private let say: (RunProgress) -> Void
    /// The part of the run: `power cut 2 of 6, create`.
    private var part = ""
    /// The crash states of that part: which one, and how many there are at most.
    private var state: (number: Int, limit: Int)?
    /// Failing states that were made smaller, and how many smaller ones were tried of the last; nil when none is.
    private var failingCount = 0
    private var tries: Int?

    package init(_ say: @escaping (RunProgress) -> Void) { self.say = say }

    package func begin(_ part: String) {
        (self.part, state) = (part, nil)
        say(RunProgress(words))
    }

    package func look(at number: Int, of limit: Int) { state = (number, max(number, limit)) }

    package func endLooking() { state = nil }

    /// While `body` makes a failing state smaller.
    package func minimising<Result>(_ body: () throws -> Result) rethrows -> Result {
        failingCount += 1
        tries = 0
        defer { tries = nil }
        return try body()
    }

    package func willRecover() {
        if let tries { self.tries = tries + 1 }
        say(RunProgress(words))
    }

    /// `power cut 2 of 6, create: crash state 14 of 90: minimising failing state 3, 40 tried`
    package var words: String {
        var words = part
        if let state { words += ": crash state \(state.number) of \(state.limit)" }
        if let tries { words += ": minimising failing state \(failingCount), \(tries) tried" }
        return words
    }
}

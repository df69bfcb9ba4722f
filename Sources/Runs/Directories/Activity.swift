/// Builds a run's progress messages and sends one before each recovery, which may take long. Not thread safe.
package final class Activity {
    private let say: (RunProgress) -> Void
    /// The part of the run: `power cut 2 of 6, create`.
    private var part = ""
    /// The current crash state of that part and the upper bound on their number.
    private var state: (number: Int, limit: Int)?
    /// The number of failing states minimised so far, and the number of candidates tried for the current one; `tries`
    /// is nil outside minimisation.
    private var failingCount = 0
    private var tries: Int?

    package init(_ say: @escaping (RunProgress) -> Void) { self.say = say }

    package func begin(_ part: String) {
        (self.part, state) = (part, nil)
        say(RunProgress(words))
    }

    package func note(state number: Int, of limit: Int) { state = (number, max(number, limit)) }

    package func endLooking() { state = nil }

    /// Counts the recoveries in `body` as minimisation candidates.
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

/// Which thread takes each step, and the steps with an unusual outcome. Printed, and parsed, as runs of steps of one thread:
///
///     A12,B3,A4~1,A2
///
/// Thread A takes 12 steps, B three, A four, of which the last has outcome 1 (an older value, a failed exchange, a wait that
/// ends for no reason), and A two more. After its end the running thread goes on for as long as it can, then the first that
/// can. `A12,B3,!A17` is the same with a thread A that stops for ever after 17 of its steps.
public struct Schedule: Hashable, Sendable {
    struct Step: Hashable, Sendable {
        var thread: Int
        var choice: Int
    }

    let steps: [Step]
    let stopped: StoppedThread?

    init(_ steps: [(thread: Int, choice: Int)], stopped: StoppedThread? = nil) {
        self.stopped = stopped
        self.steps = steps.map { Step(thread: $0.thread, choice: $0.choice) }
    }

    public var stepCount: Int { steps.count }

    public init(_ text: String) throws(ScheduleError) {
        var steps: [Step] = []
        var stopped: StoppedThread?
        for part in text.split(separator: ",", omittingEmptySubsequences: false) where !text.isEmpty {
            if stopped != nil { throw .unreadable("nothing comes after the thread that stops, before '\(part)'") }
            let stops = part.first == "!"
            let part = stops ? part.dropFirst() : part
            guard let letter = part.first?.asciiValue, (65..<65 + UInt8(VectorClock.threadLimit)).contains(letter)
            else {
                throw .unreadable(
                    "'\(part)' does not begin with a thread, A to \(Self.letter(VectorClock.threadLimit - 1))")
            }
            let numbers = part.dropFirst().split(separator: "~", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = numbers.first, let count = first, (1...100_000).contains(count), numbers.count <= 2,
                steps.count + count <= 1_000_000
            else { throw .unreadable("'\(part)' is not a thread and a number of steps, like A12") }
            let thread = Int(letter) - 65
            if stops {
                guard numbers.count == 1 else { throw .unreadable("'!\(part)' is not a thread that stops, like !A12") }
                stopped = StoppedThread(thread, afterSteps: count)
                continue
            }
            steps += Array(repeating: Step(thread: thread, choice: 0), count: count)
            guard numbers.count == 2 else { continue }
            guard let choice = numbers[1], (1...1000).contains(choice) else {
                throw .unreadable("'\(part)' has no outcome after its '~', like A4~1")
            }
            steps[steps.count - 1].choice = choice
        }
        self.steps = steps
        self.stopped = stopped
    }

    static func letter(_ thread: Int) -> Character { Character(UnicodeScalar(UInt8(65 + thread))) }
}

extension Schedule: CustomStringConvertible {
    public var description: String {
        var parts: [String] = []
        var index = 0
        while index < steps.count {
            var end = index
            while end + 1 < steps.count, steps[end].choice == 0, steps[end + 1].thread == steps[index].thread {
                end += 1
            }
            let choice = steps[end].choice == 0 ? "" : "~\(steps[end].choice)"
            parts.append("\(Self.letter(steps[index].thread))\(end + 1 - index)\(choice)")
            index = end + 1
        }
        if let stopped { parts.append("!\(Self.letter(stopped.thread))\(stopped.afterSteps)") }
        return parts.joined(separator: ",")
    }
}

/// One step of a schedule, for people.
public struct ScheduleRow: Hashable, Sendable, Codable {
    public var thread: String
    public var action: String
    /// What came of it; empty if there is nothing to say.
    public var result: String
}

import Engine

/// What finds a planted bug that needs two threads.
package struct ScheduleSighting: Hashable, Sendable {
    /// The name of the scenario.
    package var test: String
    /// The shortest schedule that shows the bug.
    package var schedule: String
    /// What is wrong then: a part of the failure's text.
    package var finding: String

    /// The command that finds it, as it is typed into a shell.
    package func command(planting bug: PlantedBug, program: String) -> String {
        "\(program) schedules \(test) --planted \(bug.name)"
    }
}

extension PlantedBug {
    /// Of a bug that needs two threads: what finds it. nil for all others, which runs of one thread show.
    package var scheduleSighting: ScheduleSighting? {
        switch self {
        case .followerEarly:
            ScheduleSighting(
                test: "append-sync", schedule: "A17,B1", finding: "is gone, though it was acknowledged")
        case .wakeupLost: ScheduleSighting(test: "append-sync", schedule: "A28,B1", finding: "no thread can go on")
        case .numberDoubled: ScheduleSighting(test: "append", schedule: "A2,B1", finding: "recovery finds")
        case .duplicateEarly:
            ScheduleSighting(
                test: "event-failing", schedule: "A42,B1", finding: "is gone, though it was acknowledged")
        default: nil
        }
    }
}

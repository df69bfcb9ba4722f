import Schedules

/// One schedule of a scenario, step by step, for programs.
package struct ScheduleReplayReport: Encodable {
    private let scenario: String
    /// What is wrong; absent if nothing is.
    private let reason: String?
    private let rows: [ScheduleRow]

    package init(scenario: String, _ failure: ScheduleFailure?, _ rows: [ScheduleRow]) {
        self.scenario = scenario
        reason = failure?.kind.description
        self.rows = rows
    }
}

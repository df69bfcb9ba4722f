/// All scenarios.
package enum ScheduleTests {
    package static let all: [ScheduleTest] = LogTests.all + KeyValueTests.all + EventTests.all + PoolTests.all

    package static func named(_ name: String) -> ScheduleTest? { all.first { $0.name == name } }
}

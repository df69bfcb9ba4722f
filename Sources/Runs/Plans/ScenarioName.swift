/// The name of a scenario, as commands, matrices, cases and results say it.
///
/// What is read from a file may be of a version with other scenarios: it is kept as it is. `ScenarioList.named` says whether
/// this version has it.
package struct ScenarioName: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }
}

/// The name of a scenario in commands, matrices, cases and results.
///
/// A name read from a file is kept even if this version lacks the scenario; `ScenarioList.named` looks it up.
package struct ScenarioName: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }
}

import Targets

extension ConfiguredTarget {
    /// The configuration as printed and stored: the last value of each name.
    package var configurationByName: [String: String] {
        Dictionary(configuration.map { ($0.name, $0.value) }) { _, last in last }
    }
}

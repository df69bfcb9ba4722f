import Targets

extension ConfiguredTarget {
    /// The configuration as it is printed and stored.
    package var configurationByName: [String: String] {
        Dictionary(configuration.map { ($0.name, $0.value) }) { _, last in last }
    }
}

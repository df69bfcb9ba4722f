/// A parameter of a target. Each combination of parameter values is one configuration.
package struct Parameter: Hashable, Sendable {
    package var name: String
    /// The allowed values; the first is the default.
    package var values: [String]

    package init(_ name: String, _ values: [String]) {
        self.name = name
        self.values = values
    }
}

/// Something about a target that a run may choose. Each combination of values is one configuration.
package struct Parameter: Hashable, Sendable {
    package var name: String
    /// What it may be; the first is what it is unless somebody says otherwise.
    package var values: [String]

    package init(_ name: String, _ values: [String]) {
        self.name = name
        self.values = values
    }
}

/// A `--set name=value` of the command line.
package struct Setting: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Parses `name=value`; the value may contain `=`.
    package init(parsing text: String) throws(TargetError) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { throw .malformedSetting(text) }
        self.init(name: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
    }
}

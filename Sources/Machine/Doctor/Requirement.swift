/// A machine feature that a scenario needs, whether it is there, and how to enable it.
package struct Requirement: Hashable, Sendable, Encodable {
    package var name: String
    package var isMet: Bool
    /// The state found.
    package var finding: String
    /// The command that meets the requirement; nil if it is met or there is none.
    package var remedy: String?

    package init(_ name: String, met isMet: Bool, _ finding: String, remedy: String? = nil) {
        self.name = name
        self.isMet = isMet
        self.finding = finding
        self.remedy = isMet ? nil : remedy
    }
}

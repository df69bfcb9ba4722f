/// Something that a scenario needs of the machine, whether it is there, and how to get it.
package struct Requirement: Hashable, Sendable, Encodable {
    package var name: String
    package var isMet: Bool
    /// What was found.
    package var finding: String
    /// The exact command that would meet it, when one would.
    package var remedy: String?

    package init(_ name: String, met isMet: Bool, _ finding: String, remedy: String? = nil) {
        self.name = name
        self.isMet = isMet
        self.finding = finding
        self.remedy = isMet ? nil : remedy
    }
}

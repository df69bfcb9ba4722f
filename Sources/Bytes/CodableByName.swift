/// A value that is written as its name, a string, and read back from it. A name that there is not is an error that says so.
package protocol CodableByName: Codable, CustomStringConvertible {
    /// What there is none of under a wrong name, as in "there is no profile x".
    static var kind: String { get }
    /// Nil when no value has this name, which is its `description`.
    init?(named name: String)
}

extension CodableByName {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let name = try container.decode(String.self)
        guard let value = Self(named: name) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "there is no \(Self.kind) \(name)")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

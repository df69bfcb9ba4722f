/// A value that is encoded as its name. Decoding an unknown name is an error.
package protocol CodableByName: Codable, CustomStringConvertible {
    /// The noun for error messages, as in "there is no profile x".
    static var kind: String { get }
    /// The value with this name, which is its `description`; nil if there is none.
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

/// The value of an option as JSON: what a case keeps.
package enum OptionValue: Hashable, Sendable {
    case flag(Bool)
    case number(Int)
    case text(String)
    case texts([String])

    /// - Parameter texts: as the option says its value; nothing comes of a number or a text that is not set.
    init?(_ kind: OptionDeclaration.Kind, _ texts: [String]) {
        switch kind {
        case .flag: self = .flag(!texts.isEmpty)
        case .texts: self = .texts(texts)
        case .integer:
            guard let number = texts.last.flatMap({ Int($0) }) else { return nil }
            self = .number(number)
        case .text:
            guard let text = texts.last else { return nil }
            self = .text(text)
        }
    }

    /// As the option reads it; nil for a flag that is off.
    var texts: [String]? {
        switch self {
        case .flag(let isOn): isOn ? ["true"] : nil
        case .number(let number): ["\(number)"]
        case .text(let text): [text]
        case .texts(let texts): texts
        }
    }
}

/// A key of JSON that is known at run time.
struct OptionKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<OptionKey> {
    /// The value at a path such as `exploration.depth`; nil where there is none.
    func option(_ kind: OptionDeclaration.Kind, at path: some Collection<Substring>) throws -> OptionValue? {
        guard let first = path.first else { return nil }
        let (key, rest) = (OptionKey(stringValue: String(first)), path.dropFirst())
        guard rest.isEmpty else {
            guard contains(key) else { return nil }
            return try nestedContainer(keyedBy: OptionKey.self, forKey: key).option(kind, at: rest)
        }
        return switch kind {
        case .flag: try decodeIfPresent(Bool.self, forKey: key).map { .flag($0) }
        case .integer: try decodeIfPresent(Int.self, forKey: key).map { .number($0) }
        case .text: try decodeIfPresent(String.self, forKey: key).map { .text($0) }
        case .texts: try decodeIfPresent([String].self, forKey: key).map { .texts($0) }
        }
    }
}

extension KeyedEncodingContainer<OptionKey> {
    /// Writes the value at a path such as `exploration.depth`.
    mutating func encode(_ value: OptionValue, at path: some Collection<Substring>) throws {
        guard let first = path.first else { return }
        let (key, rest) = (OptionKey(stringValue: String(first)), path.dropFirst())
        guard rest.isEmpty else {
            var nested = nestedContainer(keyedBy: OptionKey.self, forKey: key)
            return try nested.encode(value, at: rest)
        }
        switch value {
        case .flag(let isOn): try encode(isOn, forKey: key)
        case .number(let number): try encode(number, forKey: key)
        case .text(let text): try encode(text, forKey: key)
        case .texts(let texts): try encode(texts, forKey: key)
        }
    }
}

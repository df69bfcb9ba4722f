/// The value of a scenario option, as stored in a case's JSON.
package enum OptionValue: Hashable, Sendable {
    case flag(Bool)
    case number(Int)
    case text(String)
    case texts([String])

    /// The text that the option parses; nil for a flag that is off.
    package var texts: [String]? {
        switch self {
        case .flag(let isOn): isOn ? ["true"] : nil
        case .number(let number): ["\(number)"]
        case .text(let text): [text]
        case .texts(let texts): texts
        }
    }

    /// Whether the value is one that older versions wrote for options that the scenario does not have.
    package var isBlank: Bool { self == .number(0) || (texts ?? []).isEmpty }
}

extension OptionValue: Codable {
    package init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Int.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else {
            self = .texts(try value.decode([String].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .flag(let isOn): try value.encode(isOn)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        case .texts(let texts): try value.encode(texts)
        }
    }
}

/// A JSON key known only at run time.
struct OptionKey: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }

    package init(stringValue: String) { self.stringValue = stringValue }
    package init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<OptionKey> {
    /// Decodes all values except those of `known` keys, by path: `exploration.depth`.
    package func options(besides known: Set<String> = [], below path: String = "") throws -> [String: OptionValue] {
        var options: [String: OptionValue] = [:]
        for key in allKeys where !known.contains(key.stringValue) {
            let name = path + key.stringValue
            if let nested = try? nestedContainer(keyedBy: OptionKey.self, forKey: key) {
                options.merge(try nested.options(below: name + ".")) { $1 }
            } else if try !decodeNil(forKey: key) {
                options[name] = try decode(OptionValue.self, forKey: key)
            }
        }
        return options
    }
}

extension KeyedEncodingContainer<OptionKey> {
    /// Encodes the value at a path such as `exploration.depth`.
    package mutating func encode(_ value: OptionValue, at path: some Collection<Substring>) throws {
        guard let first = path.first else { return }
        let (key, rest) = (OptionKey(stringValue: String(first)), path.dropFirst())
        guard rest.isEmpty else {
            var nested = nestedContainer(keyedBy: OptionKey.self, forKey: key)
            return try nested.encode(value, at: rest)
        }
        try encode(value, forKey: key)
    }
}

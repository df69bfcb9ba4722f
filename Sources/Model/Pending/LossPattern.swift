import Bytes

/// A kind of lost change and the files that it belongs to. Failures with equal patterns are grouped as one cause.
///
/// Prints and parses as words: `write o/*`, `removal of the name a.db-journal`.
public struct LossPattern: Hashable, Sendable, Codable {
    public var kind: LossKind
    /// The path of the file or name, relative to the store.
    public var path: TextPattern
    /// The name of an extended attribute; nil for other kinds.
    public var attribute: TextPattern?

    public init(_ kind: LossKind, _ path: TextPattern, attribute: TextPattern? = nil) {
        self.kind = kind
        self.path = path
        self.attribute = attribute
    }
}

extension LossPattern {
    /// Whether this pattern matches `other`. `*` in its path matches any text.
    public func covers(_ other: LossPattern) -> Bool {
        guard kind == other.kind, path.covers(other.path) else { return false }
        guard let attribute else { return other.attribute == nil }
        return other.attribute.map(attribute.covers) ?? false
    }
}

extension LossPattern: Comparable {
    public static func < (left: LossPattern, right: LossPattern) -> Bool { left.description < right.description }
}

extension LossPattern: CustomStringConvertible {
    public var description: String {
        Self.prefixes(kind)[0] + (attribute.map { "\($0) of " } ?? "") + "\(path)"
    }

    /// The prefixes of the text form. The first one is printed; all are parsed.
    private static func prefixes(_ kind: LossKind) -> [String] {
        switch kind {
        case .write: ["write "]
        case .zeros: ["zeros in ", "zeros at an edge in "]
        case .size: ["size of "]
        case .name: ["name "]
        case .removal: ["removal of the name "]
        case .attributes: ["mode and owner of "]
        case .extendedAttribute: ["attribute "]
        }
    }

    /// Parses the output of `description`, or the same with a plain path instead of a pattern. nil for anything else.
    public init?(parsing text: String) {
        for kind in LossKind.allCases {
            guard let begin = Self.prefixes(kind).first(where: text.hasPrefix) else { continue }
            var rest = text.dropFirst(begin.count)
            if kind == .extendedAttribute {
                guard let end = rest.firstRange(of: " of ") else { return nil }
                attribute = TextPattern(of: ByteString(String(rest[..<end.lowerBound])))
                rest = rest[end.upperBound...]
            }
            guard !rest.isEmpty else { return nil }
            self.kind = kind
            path = TextPattern(of: TextPattern(printed: String(rest)).text)
            return
        }
        return nil
    }
}

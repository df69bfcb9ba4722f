import Bytes

/// What kind of change was lost, of which files: failures that lose the same have one cause.
///
/// Prints and parses as words: `write o/*`, `removal of the name a.db-journal`.
public struct LossPattern: Hashable, Sendable, Codable {
    public var kind: LossKind
    /// Of the file, or the name, within the store.
    public var path: TextPattern
    /// Of an extended attribute: its name.
    public var attribute: TextPattern?

    public init(_ kind: LossKind, _ path: TextPattern, attribute: TextPattern? = nil) {
        self.kind = kind
        self.path = path
        self.attribute = attribute
    }
}

extension LossPattern {
    /// Whether this, in whose path `*` stands for anything, says the same of a change as `other`.
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
        Self.words(kind)[0] + (attribute.map { "\($0) of " } ?? "") + "\(path)"
    }

    /// What its text begins with; the first is what it prints as.
    private static func words(_ kind: LossKind) -> [String] {
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

    /// Parses what `description` prints, with a path in place of its pattern if you like; nil for anything else.
    public init?(parsing text: String) {
        for kind in LossKind.allCases {
            guard let begin = Self.words(kind).first(where: text.hasPrefix) else { continue }
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

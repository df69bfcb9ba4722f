/// The atoms that a crash state has lost, named by operation. A case stores them, and a replay derives the state again
/// from them.
///
/// The text form is words separated by spaces, in trace order:
///
///     61.0                the first effect of operation 61
///     62.0[4096-8192]     bytes 4096 up to 8192 of the file, written by operation 62
///     62.1<4096           the growth of operation 62 beyond a size of 4096
public struct LostAtoms: Hashable, Sendable {
    public struct Item: Hashable, Sendable {
        public var operation: OperationID
        /// Which effect of the operation: 0 for data or the first name, 1 for the size or the second name.
        public var part: UInt8
        public var extent: Extent
    }

    public enum Extent: Hashable, Sendable {
        case whole
        case bytes([Range<UInt64>])
        /// The size survived up to this many bytes only.
        case sizeAbove(UInt64)
    }

    public var items: [Item]

    public init(_ items: [Item] = []) { self.items = items }

    public var isEmpty: Bool { items.isEmpty }
}

extension LostAtoms: CustomStringConvertible {
    public var description: String { items.map(\.description).joined(separator: " ") }

    /// Parses the output of `description`.
    public init(parsing text: String) throws(LostAtomsError) {
        items = []
        for word in text.split(separator: " ") {
            guard let item = Item(word) else { throw .notAnAtom(String(word)) }
            items.append(item)
        }
    }
}

/// Why a list of lost atoms cannot be parsed.
public enum LostAtomsError: Error, Hashable, Sendable {
    case notAnAtom(String)
}

extension LostAtomsError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAnAtom(let word):
            "'\(word)' is not a lost atom: expected OP.PART, OP.PART[FROM-TO,…] or OP.PART<SIZE, for example 62.0[0-512]"
        }
    }
}

extension LostAtoms.Item: CustomStringConvertible {
    public var description: String {
        let name = "\(operation.rawValue).\(part)"
        switch extent {
        case .whole: return name
        case .bytes(let ranges):
            return name + "[" + ranges.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",") + "]"
        case .sizeAbove(let size): return name + "<\(size)"
        }
    }

    init?(_ word: Substring) {
        let head = word.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let numbers = head.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 2, let id = UInt64(numbers[0]), let part = UInt8(numbers[1]) else { return nil }
        operation = OperationID(id)
        self.part = part
        let rest = word.dropFirst(head.count)
        if rest.isEmpty {
            extent = .whole
        } else if rest.first == "<", let size = UInt64(rest.dropFirst()) {
            extent = .sizeAbove(size)
        } else if rest.first == "[", rest.last == "]", rest.count > 2 {
            var ranges: [Range<UInt64>] = []
            for pair in rest.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false) {
                let bounds = pair.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
                guard bounds.count == 2, let from = bounds[0], let to = bounds[1], from < to else { return nil }
                ranges.append(from..<to)
            }
            extent = .bytes(ranges)
        } else {
            return nil
        }
    }
}

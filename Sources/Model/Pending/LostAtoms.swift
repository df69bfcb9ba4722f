/// The atoms that a crash state lacks, named by operation: what a case stores and a replay asks for.
///
/// It prints and parses as words separated by spaces, in trace order:
///
///     61.0                the first part of operation 61
///     62.0[4096-8192]     of the data that operation 62 wrote, the bytes of the file from 4096 up to 8192
///     62.1<4096           the size that operation 62 reached stopped at 4096
public struct LostAtoms: Hashable, Sendable {
    public struct Item: Hashable, Sendable {
        public var operation: OperationID
        /// Which part of the operation: 0 for data or the first name, 1 for the size or the second name.
        public var part: UInt8
        public var extent: Extent
    }

    public enum Extent: Hashable, Sendable {
        case whole
        case bytes([Range<UInt64>])
        /// The size got no further than this many bytes.
        case sizeAbove(UInt64)
    }

    public var items: [Item]

    public init(_ items: [Item] = []) { self.items = items }

    public var isEmpty: Bool { items.isEmpty }
}

extension LostAtoms: CustomStringConvertible {
    public var description: String { items.map(\.description).joined(separator: " ") }

    /// Parses what `description` prints.
    public init(parsing text: String) throws(LostAtomsError) {
        items = []
        for word in text.split(separator: " ") {
            guard let item = Item(word) else { throw .notAnAtom(String(word)) }
            items.append(item)
        }
    }
}

/// Why a list of lost atoms could not be read.
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

/// Ids of read-only calls, such as reads and lookups. They are not in a trace, but faults can be injected into them.
extension OperationID {
    private static let readOnlyBit: UInt64 = 1 << 63
    private static let kindShift: UInt64 = 48

    /// The `number`-th call of this kind, from 1, on a mount with rules. The rule `read nth=4`, if it matches every read,
    /// fires on `read 4`.
    public init(readOnlyCall kind: OperationKind, number: UInt64) {
        let index = (number &- 1) & (1 << Self.kindShift - 1)
        self.init(Self.readOnlyBit | UInt64(kind.rawValue) << Self.kindShift | index)
    }

    /// The kind and number of a read-only call; nil for an operation of a trace.
    public var readOnlyCall: (kind: OperationKind, number: UInt64)? {
        guard rawValue & Self.readOnlyBit != 0,
            let kind = OperationKind(rawValue: UInt8(truncatingIfNeeded: rawValue >> Self.kindShift & 0x7F))
        else { return nil }
        return (kind, rawValue & (1 << Self.kindShift - 1) + 1)
    }

    /// The id in a script of faults: `62`, `read:4`.
    var scriptText: String { readOnlyCall.map { "\($0.kind.name):\($0.number)" } ?? "\(rawValue)" }

    /// Parses the output of `scriptText`, and also the plain number of a read-only call, which older scripts have.
    init?(scriptText: String) {
        let parts = scriptText.split(separator: ":", omittingEmptySubsequences: false)
        guard let number = RuleParser.number(parts[parts.count - 1]) else { return nil }
        switch parts.count {
        case 1: self.init(number)
        case 2:
            guard let kind = OperationKind(name: parts[0]), (1...1 << Self.kindShift).contains(number) else {
                return nil
            }
            self.init(readOnlyCall: kind, number: number)
        default: return nil
        }
    }
}

extension OperationID: CustomStringConvertible {
    /// `op 12`; a read-only call: `read 4`.
    public var description: String { readOnlyCall.map { "\($0.kind.name) \($0.number)" } ?? "op \(rawValue)" }
}

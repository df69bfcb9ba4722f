/// The ids of calls that change nothing, which are in no trace: reads, lookups. Faults can hit them all the same.
extension OperationID {
    private static let questionBit: UInt64 = 1 << 63
    private static let kindShift: UInt64 = 48

    /// The `number`-th call of this kind, from 1, on a mount with rules. A rule `read nth=4` that matches every read hits
    /// the one that is called read 4.
    public init(question kind: OperationKind, number: UInt64) {
        let place = (number &- 1) & (1 << Self.kindShift - 1)
        self.init(Self.questionBit | UInt64(kind.rawValue) << Self.kindShift | place)
    }

    /// Which call of which kind; nil for an operation of a trace.
    public var question: (kind: OperationKind, number: UInt64)? {
        guard rawValue & Self.questionBit != 0,
            let kind = OperationKind(rawValue: UInt8(truncatingIfNeeded: rawValue >> Self.kindShift & 0x7F))
        else { return nil }
        return (kind, rawValue & (1 << Self.kindShift - 1) + 1)
    }

    /// As a script of faults has it: `62`, `read:4`.
    var scriptText: String { question.map { "\($0.kind.name):\($0.number)" } ?? "\(rawValue)" }

    /// Parses what `scriptText` prints, and the plain number of a question, as scripts had it before.
    init?(scriptText: String) {
        let parts = scriptText.split(separator: ":", omittingEmptySubsequences: false)
        guard let number = RuleParser.number(parts[parts.count - 1]) else { return nil }
        switch parts.count {
        case 1: self.init(number)
        case 2:
            guard let kind = OperationKind(name: parts[0]), (1...1 << Self.kindShift).contains(number) else {
                return nil
            }
            self.init(question: kind, number: number)
        default: return nil
        }
    }
}

extension OperationID: CustomStringConvertible {
    /// `op 12`; a call that is in no trace by its kind: `read 4`.
    public var description: String { question.map { "\($0.kind.name) \($0.number)" } ?? "op \(rawValue)" }
}

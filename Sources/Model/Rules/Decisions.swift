import Bytes

/// The faults of one attempt: any number of delays, which add up, and at most one other fault.
public struct Decisions: Sendable {
    public struct Decision: Hashable, Sendable {
        /// The text of the rule that fired.
        public var rule: ByteString
        public var fault: DrawnFault

        public init(rule: ByteString, _ fault: DrawnFault) {
            self.rule = rule
            self.fault = fault
        }
    }

    /// In the order of the rules. Empty for nearly every attempt.
    public private(set) var all: [Decision] = []
    /// The one that is not a delay.
    public private(set) var main: Decision?
    public private(set) var delayNanoseconds: UInt64 = 0

    public init() {}

    public var isEmpty: Bool { all.isEmpty }

    mutating func add(_ decision: Decision) {
        all.append(decision)
        if case .delay(let duration) = decision.fault {
            let (sum, overflow) = delayNanoseconds.addingReportingOverflow(duration)
            delayNanoseconds = overflow ? .max : sum
        } else {
            main = decision
        }
    }
}

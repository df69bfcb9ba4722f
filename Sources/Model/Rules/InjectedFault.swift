import Bytes

/// A fault that was injected: the operation, the fault and the rule.
public struct InjectedFault: Hashable, Sendable {
    public var operation: OperationID
    public var kind: OperationKind
    public var path: ByteString
    public var fault: DrawnFault
    /// The text of the rule that fired.
    public var rule: ByteString

    init(operation: OperationID, kind: OperationKind, path: ByteString, fault: DrawnFault, rule: ByteString) {
        self.operation = operation
        self.kind = kind
        self.path = path
        self.fault = fault
        self.rule = rule
    }

    public init(_ attempt: Attempt, path: ByteString, _ decision: Decisions.Decision) {
        operation = attempt.id
        kind = attempt.kind
        self.path = path
        fault = decision.fault
        rule = decision.rule
    }
}

extension InjectedFault {
    /// For people: `op 62 write a.wal -> tear 512..1024`, `read 4 a.wal -> EIO`.
    public var words: String {
        "\(operation) \(operation.readOnlyCall == nil ? kind.name + " " : "")\(path) -> \(fault)"
    }
}

extension InjectedFault: CustomStringConvertible {
    /// A line of a script: `62 write path=a.wal -> tear 512..1024  # write path=*.wal nth=3 -> tear 512`
    public var description: String {
        "\(operation.scriptText) \(kind.name) path=\(Glob(exactly: path)) -> \(fault)  # \(rule)"
    }
}

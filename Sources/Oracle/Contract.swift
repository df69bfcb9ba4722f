/// The guarantees of a store: a named set of checks for the validator.
public struct Contract: Hashable, Sendable {
    public var name: String
    public var checks: Set<Check>

    public init(name: String, checks: Set<Check>) {
        self.name = name
        self.checks = checks
    }

    /// For disks with lying flushes: a lost tail is counted, not a violation, but surviving data must be correct.
    public static let prefix = Contract(
        name: "prefix",
        checks: [.opens, .perKeyPrefix, .payloadIntegrity, .noExtras, .consistent, .idempotent, .writable])

    /// For single-writer stores that guarantee order but not durability: a lost tail is counted, and no operation
    /// survives without all earlier acknowledged ones.
    public static let orderedPrefix = Contract(name: "ordered-prefix", checks: prefix.checks.union([.noHoles]))

    /// The default: acknowledged writes survive, acknowledged deletes stay deleted.
    public static let durable = Contract(
        name: "durable", checks: prefix.checks.union([.durable, .noResurrection]))

    /// `durable`, and the operations of a single writer survive in order.
    public static let ordered = Contract(name: "ordered", checks: durable.checks.union([.noHoles]))

    /// `durable`, and batches survive completely or not at all. Has no rule for the order of batches, so it works for
    /// any number of writers.
    public static let transactional = Contract(name: "transactional", checks: durable.checks.union([.atomic]))

    /// Whether it needs a total order of all operations, which several writers do not have.
    public var needsSingleWriter: Bool { checks.contains(.noHoles) }

    /// Whether the last acknowledged operations may be lost. To distinguish that from a hole, the validator needs the
    /// whole history (`Validator.Memory.everything`).
    public var allowsLostTail: Bool { checks.contains(.noHoles) && !checks.contains(.durable) }

    /// The part of the contract that applies to several writers.
    public var forSeveralWriters: Contract {
        needsSingleWriter ? (checks.contains(.durable) ? .durable : .prefix) : self
    }

    /// The contracts with a name on the command line and in manifests.
    public static let named = [prefix, orderedPrefix, durable, ordered, transactional]

    /// The contract with this name; nil when there is none.
    public init?(named name: String) {
        guard let contract = Self.named.first(where: { $0.name == name }) else { return nil }
        self = contract
    }
}

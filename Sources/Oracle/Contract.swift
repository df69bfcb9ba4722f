/// What a store promises, hence what the validator holds it to: a named set of checks.
public struct Contract: Hashable, Sendable {
    public var name: String
    public var checks: Set<Check>

    public init(name: String, checks: Set<Check>) {
        self.name = name
        self.checks = checks
    }

    /// For disks that lie about their flushes: a lost tail is counted, not failed; what is there must be true.
    public static let prefix = Contract(
        name: "prefix", checks: [.opens, .perKeyPrefix, .payloadIntegrity, .noExtras, .idempotent, .writable])

    /// For stores that promise order and not durability: a lost tail is counted, and nothing survives without all that was
    /// acknowledged before it. A single writer's.
    public static let orderedPrefix = Contract(name: "ordered-prefix", checks: prefix.checks.union([.noHoles]))

    /// The default: what was acknowledged is there, what was deleted is not.
    public static let durable = Contract(
        name: "durable", checks: prefix.checks.union([.durable, .noResurrection]))

    /// `durable`, and the operations of the single writer survive in their order.
    public static let ordered = Contract(name: "ordered", checks: durable.checks.union([.noHoles]))

    /// `durable`, and batches survive whole or not at all. Says nothing of the order of batches, so that it holds
    /// for any number of writers.
    public static let transactional = Contract(name: "transactional", checks: durable.checks.union([.atomic]))

    /// Whether it speaks of one order of all operations, which several writers do not have.
    public var needsSingleWriter: Bool { checks.contains(.noHoles) }

    /// Whether acknowledged operations may be lost, if they are the last ones: that is told from a hole by the whole history
    /// (`Validator.Memory.everything`).
    public var forgivesTail: Bool { checks.contains(.noHoles) && !checks.contains(.durable) }

    /// As much of it as can be asked of several writers.
    public var ofSeveralWriters: Contract {
        needsSingleWriter ? (checks.contains(.durable) ? .durable : .prefix) : self
    }

    /// The contracts that can be named on the command line and in a manifest.
    public static let named = [prefix, orderedPrefix, durable, ordered, transactional]

    /// The contract called `name`; nil when there is none.
    public init?(named name: String) {
        guard let contract = Self.named.first(where: { $0.name == name }) else { return nil }
        self = contract
    }
}

import Bytes

/// A rule in force, with its counters and random streams.
struct ArmedRule: Sendable {
    let rule: Rule
    /// The text of the rule.
    let text: ByteString
    let number: UInt64
    private let stream: RandomStream

    private(set) var matched: UInt64 = 0
    private(set) var fired: UInt64 = 0
    private var syncs: UInt64 = 0
    private var offeredBytes: UInt64 = 0
    /// The total growth of the matching files, for a quota.
    private var grownBytes: UInt64 = 0
    /// How often the rule matched on each path. Only for rules that draw random numbers.
    private var matchedOnPath: [ByteString: UInt64] = [:]

    init(_ rule: Rule, text: ByteString, number: UInt64, stream: RandomStream) {
        self.rule = rule
        self.text = text
        self.number = number
        self.stream = stream
    }

    var needs: FaultNeeds {
        var needs = FaultNeeds()
        switch rule.action {
        case .inject(let injection, _):
            needs.kinds = injection.kinds
            needs.delays = injection.isDelay
            if case .read(.stale, _) = injection { needs.olderBytes = true }
            if case .sync(_, .lose) = injection { needs.syncedBytes = true }
        case .quota:
            needs.kinds = OperationKinds([.write, .truncate, .allocate, .create, .unlink, .rename])
            needs.growth = true
        }
        if rule.afterSyncs != nil { needs.kinds.formUnion(OperationKinds([.fsync, .fdatasync, .fsyncdir])) }
        if case .name = rule.process { needs.processNames = true }
        return needs
    }

    /// The fault that the rule injects into an attempt, on a path that its glob matches. `hasFault`: another rule already
    /// injects a fault.
    mutating func decide(_ attempt: Attempt, on path: ByteString, hasFault: Bool) -> DrawnFault? {
        defer { if attempt.kind.isBarrier { syncs += 1 } }
        if let afterSyncs = rule.afterSyncs, syncs < afterSyncs.value { return nil }
        guard isWanted(attempt) else { return nil }
        switch rule.action {
        case .inject(let injection, let selection):
            return decide(attempt, on: path, hasFault: hasFault, injection, selection)
        case .quota(let limit, let error):
            return decide(attempt, hasFault: hasFault, limit: limit, error)
        }
    }

    private func isWanted(_ attempt: Attempt) -> Bool {
        if let between = rule.between, !between.contains(attempt.id.rawValue) { return false }
        switch rule.process {
        case nil: return true
        case .id(let id): return attempt.process == id
        case .name(let glob): return attempt.processName.map { glob.matches($0) } ?? false
        }
    }

    private mutating func decide(
        _ attempt: Attempt, on path: ByteString, hasFault: Bool, _ injection: Injection, _ selection: Selection
    ) -> DrawnFault? {
        guard injection.kinds.contains(attempt.kind), injection.isPossible(attempt) else { return nil }
        if let data = injection.dataConditions {
            guard data.matches(attempt) else { return nil }
            if let limit = data.afterBytes {
                offeredBytes = offeredBytes.addingOrMax(attempt.countBytes)
                guard offeredBytes > limit else { return nil }
            }
        }
        matched += 1
        var draws = stream
        if injection.draws || selection.draws {
            let count = matchedOnPath[path, default: 0]
            matchedOnPath[path] = count + 1
            draws = stream.stream(path).stream(count)
        }
        guard selection.selects(matched, &draws) else { return nil }
        if hasFault, !injection.isDelay { return nil }
        fired += 1
        return injection.draw(attempt, &draws)
    }

    private mutating func decide(
        _ attempt: Attempt, hasFault: Bool, limit: UInt64, _ error: Rule.QuotaError
    ) -> DrawnFault? {
        // An operation that fails for another reason uses no quota.
        if hasFault { return nil }
        guard attempt.growthBytes > 0 else {
            grownBytes -= min(grownBytes, attempt.growthBytes.magnitude)
            return nil
        }
        matched += 1
        let growth = attempt.growthBytes.magnitude
        let room = limit - min(limit, grownBytes)
        if growth <= room {
            grownBytes += growth
            return nil
        }
        fired += 1
        let excess = growth - room
        guard attempt.kind == .write, excess < attempt.countBytes, room > 0 else { return .fail(error.errorNumber) }
        grownBytes += room
        return .short(countBytes: attempt.countBytes - excess)
    }
}

extension DataConditions {
    /// Whether the offset and size of the attempt match.
    fileprivate func matches(_ attempt: Attempt) -> Bool {
        if let sizesBytes, !sizesBytes.contains(attempt.countBytes) { return false }
        guard let offsetsBytes else { return true }
        return attempt.countBytes > 0 && attempt.offsetBytes <= offsetsBytes.upperBound
            && attempt.endBytes > offsetsBytes.lowerBound
    }
}

extension Selection {
    fileprivate var draws: Bool {
        if case .chance = self { true } else { false }
    }

    fileprivate func selects(_ number: UInt64, _ stream: inout RandomStream) -> Bool {
        switch self {
        case .all: true
        case .nth(let wanted): number == wanted.value
        case .every(let step): number % step.value == 0
        case .chance(let ratio): stream.chance(ratio.numerator, in: ratio.denominator)
        }
    }
}

extension UInt64 {
    fileprivate func addingOrMax(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

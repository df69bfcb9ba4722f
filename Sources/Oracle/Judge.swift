import Bytes

/// One judgement in the making. `Validator` says what is legal; this walks every key once and gathers what is not.
struct Judge {
    /// How a key differs from what is legal.
    struct Difference {
        /// The key's number; nil where the oracle has no record of it.
        var number: Int?
        var key: ByteString
        var payload: [UInt8]?
        /// The checks that it breaks, the most telling first.
        var breaks: [Check]
        /// Where the key was first asked to hold what it shows.
        var firstHeld: Int?
        /// The line of what is expected; 0 when that is the state before any operation.
        var line: Int
        /// The value is missing or older than it must be, so that it says where the history was cut.
        var isLoss: Bool
    }

    let validator: Validator
    let contract: Contract
    let tally: Tally
    let order: Order
    var judgement = Judgement()
    var differences: [Difference] = []
    /// By key number: the index of its observed entry, -1 for none.
    var observed: [Int32] = []
    /// Keys with operations of open outcome, all of them legal so far: what `no holes` and `atomic` look at.
    var open: [Int] = []

    init(_ validator: Validator, _ contract: Contract, at line: Int?) {
        self.validator = validator
        self.contract = contract
        tally = validator.tally(at: line)
        let hasOneWriter = contract.checks.contains(.noHoles) && tally.outOfOrder == nil
        order = hasOneWriter ? .singleWriter : .realTime
        judgement.line = tally.line
    }

    mutating func judge(_ evidence: Evidence) -> Judgement {
        judgement.hasAcknowledged = tally.acknowledged > 0
        judgement.isHang = evidence.recovery.isHung
        switch evidence.recovery {
        case .failed, .hung: tell(Violation(check: .opens, detail: evidence.recovery.failure ?? ""))
        case .filesystemBroken(let reason):
            judgement.counts[.filesystem] = 1
            judgement.violations = [Violation(check: .filesystem, detail: reason)]
            judgement.verdict = .filesystem
            return judgement
        case .opened(let observation):
            walk(observation)
            attribute()
            sortOpen()
            if validator.options.comparedKeys != nil {
                judgement.notTried += [.noHoles, .atomic].filter(contract.checks.contains)
            } else {
                if contract.checks.contains(.noHoles) { judgeHoles(observation) }
                if contract.checks.contains(.atomic) { judgeBatches(observation) }
            }
            judgeSecond(evidence.secondRecovery, after: observation)
            judgeProbe(evidence.probe)
        }
        judgement.violations.sort { $0.check < $1.check }
        judgement.notTried.sort()
        if !judgement.counts.isEmpty {
            judgement.verdict = .violation
        } else if !judgement.unjudged.isEmpty {
            judgement.verdict = .inconclusive
        }
        return judgement
    }

    /// The payload that the key shows; nil when it is not there.
    func payload(_ number: Int, in observation: Observation) -> [UInt8]? {
        guard observed[number] >= 0 else { return nil }
        let payload = observation.entries[Int(observed[number])].payload
        guard let compared = validator.options.comparedKeys, !compared.contains(validator.table[number]) else {
            return payload
        }
        // Not looked at: it is taken for what it should be, if anything should be there.
        return versions(number).legal(order).lazy.compactMap(\.payload).first ?? payload
    }

    func versions(_ number: Int) -> [Version] { validator.versions(number, at: tally.line) }

    mutating func tell(_ violation: Violation) {
        guard contract.checks.contains(violation.check) else { return }
        let count = judgement.counts[violation.check, default: 0]
        judgement.counts[violation.check] = count + 1
        if count < validator.options.violationsTold { judgement.violations.append(violation) }
    }

    // MARK: Key by key

    /// In the order of the history, whatever the order of the numbers: a line begins one operation only.
    private mutating func sortOpen() {
        let lastBegin = Dictionary(uniqueKeysWithValues: open.map { ($0, versions($0).map(\.begin).max() ?? 0) })
        open.sort { lastBegin[$0]! < lastBegin[$1]! }
    }

    private mutating func walk(_ observation: Observation) {
        observed = [Int32](repeating: -1, count: validator.records.count)
        var strangers: [Observation.Entry] = []
        for (index, entry) in observation.entries.enumerated() {
            if let number = validator.table.number(of: entry.key), !versions(number).isEmpty {
                observed[number] = Int32(index)
            } else {
                strangers.append(entry)
            }
        }
        judgement.totals.observedLive = observation.count
        var livingVersions = 0
        for number in validator.records.indices {
            let versions = versions(number)
            guard !versions.isEmpty else { continue }
            livingVersions += look(at: number, versions, payload(number, in: observation))
        }
        judgement.totals.dead = max(0, tally.acknowledged - livingVersions)
        for stranger in strangers { differ(number: nil, stranger.key, [.nothing], stranger.payload) }
    }

    /// Returns how many acknowledged puts may still be the key's last operation.
    @inline(__always)
    private mutating func look(at number: Int, _ versions: [Version], _ payload: [UInt8]?) -> Int {
        if versions.count == 1 && areSame(versions[0].kept, payload) {
            // Nearly every key of a good state.
            guard payload != nil else { return 0 }
            judgement.totals.oracleLive += 1
            judgement.totals.survived += 1
            return 1
        }
        let isLive = versions.isLive(order)
        let isLegal = versions.allow(payload, order)
        if isLive {
            judgement.totals.oracleLive += 1
            if isLegal { judgement.totals.survived += 1 }
        }
        var uncertain = 0
        var living = 0
        for version in versions {
            if !version.isCertain { uncertain += 1 } else if version.kept != nil { living += 1 }
        }
        judgement.totals.inFlight += uncertain
        if !isLegal {
            differ(number: number, validator.table[number], versions, payload)
        } else if uncertain > 0 {
            open.append(number)
        }
        return living
    }

    private mutating func differ(number: Int?, _ key: ByteString, _ versions: [Version], _ payload: [UInt8]?) {
        let isLive = versions.isLive(order)
        var recall = Recall()
        if let payload, let number {
            recall = validator.recall(payload, under: number, at: tally.line)
        } else if let payload {
            recall = validator.recall(payload, underForgotten: key)
        }
        let isLoss = payload == nil || recall.isHeld
        if isLive {
            if isLoss { judgement.totals.dropped += 1 } else { judgement.totals.damaged += 1 }
        } else {
            judgement.totals.extras += 1
        }
        if payload != nil && recall.isKnown && !recall.isHeld { judgement.totals.mismatches += 1 }
        differences.append(
            Difference(
                number: number, key: key, payload: payload, breaks: Self.breaks(payload, recall, isLive: isLive),
                firstHeld: recall.isHeld ? recall.firstHeld : nil, line: versions.legal(order).first?.line ?? 0,
                isLoss: isLoss))
    }

    /// The table in `Validator`.
    private static func breaks(_ payload: [UInt8]?, _ recall: Recall, isLive: Bool) -> [Check] {
        guard let payload else { return lost }
        if !recall.isKnown { return extra }
        if recall.isHeld { return isLive ? lost : resurrected }
        let mixed = recall.isMix(of: payload)
        return isLive ? (mixed ? mixedLive : damagedLive) : (mixed ? mixedGone : damagedGone)
    }

    private static let lost: [Check] = [.durable]
    private static let extra: [Check] = [.noExtras]
    private static let resurrected: [Check] = [.noResurrection, .durable]
    private static let mixedLive: [Check] = [.perKeyPrefix, .payloadIntegrity, .durable]
    private static let mixedGone: [Check] = [.perKeyPrefix, .payloadIntegrity, .noResurrection, .durable]
    private static let damagedLive: [Check] = [.payloadIntegrity, .perKeyPrefix, .durable]
    private static let damagedGone: [Check] = [.payloadIntegrity, .perKeyPrefix, .noResurrection, .durable]

    /// `difference` as a violation of `check`.
    func violation(_ check: Check, _ difference: Difference, detail: String = "") -> Violation {
        let versions = difference.number.map(versions) ?? []
        return Violation(
            check: check, key: difference.key,
            expected: (versions.isEmpty ? [.nothing] : versions).legal(order).map {
                Holding(payload: $0.payload, line: $0.line)
            },
            found: Holding(payload: difference.payload, line: difference.firstHeld),
            line: difference.line == 0 ? nil : difference.line, detail: detail)
    }

    /// Tells the differences that break the contract, or sets them apart where operations in flight that a plain
    /// oracle does not record may explain all of them.
    private mutating func attribute() {
        differences.sort { $0.line == $1.line ? $0.key < $1.key : $0.line < $1.line }
        let breaking = differences.filter { $0.breaks.contains(where: contract.checks.contains) }
        let inFlight = tally.hasIntents == true ? 0 : validator.options.plainInFlight
        let mayBeInFlight = inFlight > 0 && areExplained(breaking, inFlight: inFlight)
        var detail = ""
        if inFlight > 0 {
            let budget = inFlight * (tally.restarts.count + 1)
            detail =
                "without intents, \(budget.counted("operation")) may be in flight, which cannot explain all "
                + "\(breaking.count.counted("difference"))"
        }
        for difference in differences {
            guard let check = difference.breaks.first(where: contract.checks.contains) else { continue }
            if mayBeInFlight {
                judgement.unattributed.append(violation(check, difference))
            } else if mayTell(check) {
                tell(violation(check, difference, detail: detail))
            } else {
                judgement.counts[check, default: 0] += 1
            }
        }
    }

    /// Whether operations that a plain oracle does not record, `inFlight` at the end of each life, can be behind all of
    /// these. What was acknowledged in one life, only those of that life or a later one can have replaced, unless a lost
    /// tail is forgiven.
    private func areExplained(_ differences: [Difference], inFlight: Int) -> Bool {
        var wanted = [Int](repeating: 0, count: tally.restarts.count + 1)
        for difference in differences {
            wanted[contract.checks.contains(.durable) ? validator.life(of: difference.line, tally) : 0] += 1
        }
        var left = 0
        for wanted in wanted.reversed() {
            left += inFlight - wanted
            if left < 0 { return false }
        }
        return true
    }

    /// Whether a violation of `check` would still be told, not only counted.
    private func mayTell(_ check: Check) -> Bool {
        judgement.counts[check, default: 0] < validator.options.violationsTold
    }

    // MARK: Beyond the first recovery

    private mutating func judgeSecond(_ second: Recovery?, after first: Observation) {
        guard contract.checks.contains(.idempotent) else { return }
        switch second {
        case nil: judgement.notTried.append(.idempotent)
        case .failed, .hung, .filesystemBroken:
            tell(Violation(check: .idempotent, detail: "the second recovery fails: \(second?.failure ?? "")"))
        case .opened(let observation):
            guard observation != first else { return }
            for entry in first.entries where observation[entry.key] != entry.payload {
                tellChange(of: entry.key, from: entry.payload, to: observation[entry.key])
            }
            for entry in observation.entries where first[entry.key] == nil {
                tellChange(of: entry.key, from: nil, to: entry.payload)
            }
        }
    }

    private mutating func tellChange(of key: ByteString, from first: [UInt8]?, to second: [UInt8]?) {
        tell(
            Violation(
                check: .idempotent, key: key, expected: [Holding(payload: first)], found: Holding(payload: second),
                detail: "the second recovery differs from the first"))
    }

    private mutating func judgeProbe(_ probe: Evidence.Probe?) {
        guard contract.checks.contains(.writable) else { return }
        switch probe {
        case nil: judgement.notTried.append(.writable)
        case .kept: break
        case .refused(let reason):
            tell(Violation(check: .writable, detail: "a write after recovery is refused: \(reason)"))
        case .lost(let reason): tell(Violation(check: .writable, detail: "a write after recovery is lost: \(reason)"))
        case .unkept(let reason):
            guard contract.checks.contains(.durable) else { break }
            tell(Violation(check: .writable, detail: "a write after recovery is lost: \(reason)"))
        }
    }
}

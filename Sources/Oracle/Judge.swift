import Bytes

/// Computes one judgement: compares every key with the states that `Validator` says are legal, and collects violations.
struct Judge {
    /// A key whose value is not legal.
    struct Difference {
        /// The key's number; nil when the oracle has no record of it.
        var number: Int?
        var key: ByteString
        var payload: [UInt8]?
        /// The violated checks, most specific first.
        var breaks: [Check]
        /// The line where the observed value first appeared in the key's history.
        var firstHeld: Int?
        /// The line of the expected value; 0 for the state before any operation.
        var line: Int
        /// Whether the value is missing or too old. Such a value shows where the history was cut.
        var isLoss: Bool
    }

    let validator: Validator
    let contract: Contract
    let tally: Tally
    let order: Order
    var judgement = Judgement()
    var differences: [Difference] = []
    /// By key number: the index of its observed entry; -1 for none.
    var observed: [Int32] = []
    /// Keys that are legal on their own and have operations with an unknown outcome, for `no-holes` and `atomic`.
    var uncertainKeys: [Int] = []

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
        case .failed, .hung: report(Violation(check: .opens, detail: evidence.recovery.failure ?? ""))
        case .filesystemBroken(let reason):
            judgement.counts[.filesystem] = 1
            judgement.violations = [Violation(check: .filesystem, detail: reason)]
            judgement.verdict = .filesystem
            return judgement
        case .opened(let observation):
            compareKeys(observation)
            attribute()
            sortUncertainKeys()
            if validator.options.comparedKeys != nil {
                judgement.notTried += [.noHoles, .atomic].filter(contract.checks.contains)
            } else {
                if contract.checks.contains(.noHoles) { judgeHoles(observation) }
                if contract.checks.contains(.atomic) { judgeBatches(observation) }
            }
            judgeOwnCheck(of: observation, evidence.secondRecovery)
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

    /// The observed payload of the key; nil when it is absent.
    func payload(_ number: Int, in observation: Observation) -> [UInt8]? {
        guard observed[number] >= 0 else { return nil }
        let payload = observation.entries[Int(observed[number])].payload
        guard let compared = validator.options.comparedKeys, !compared.contains(validator.table[number]) else {
            return payload
        }
        // Not sampled: assume the expected value, if there is one.
        return versions(number).legal(order).lazy.compactMap(\.payload).first ?? payload
    }

    func versions(_ number: Int) -> [Version] { validator.versions(number, at: tally.line) }

    mutating func report(_ violation: Violation) {
        guard contract.checks.contains(violation.check) else { return }
        let count = judgement.counts[violation.check, default: 0]
        judgement.counts[violation.check] = count + 1
        if count < validator.options.violationsPerCheck { judgement.violations.append(violation) }
    }

    // MARK: Single keys

    /// Sorts by the last begin line, which is unique, so that the order does not depend on key numbers.
    private mutating func sortUncertainKeys() {
        let lastBegin = Dictionary(
            uniqueKeysWithValues: uncertainKeys.map { ($0, versions($0).map(\.begin).max() ?? 0) })
        uncertainKeys.sort { lastBegin[$0]! < lastBegin[$1]! }
    }

    private mutating func compareKeys(_ observation: Observation) {
        observed = [Int32](repeating: -1, count: validator.records.count)
        var unknownEntries: [Observation.Entry] = []
        for (index, entry) in observation.entries.enumerated() {
            if let number = validator.table.number(of: entry.key), !versions(number).isEmpty {
                observed[number] = Int32(index)
            } else {
                unknownEntries.append(entry)
            }
        }
        judgement.totals.observedLive = observation.count
        var livingVersions = 0
        for number in validator.records.indices {
            let versions = versions(number)
            guard !versions.isEmpty else { continue }
            livingVersions += judgeKey(number, versions, payload(number, in: observation))
        }
        judgement.totals.dead = max(0, tally.acknowledged - livingVersions)
        for entry in unknownEntries { addDifference(number: nil, entry.key, [.absent], entry.payload) }
    }

    /// Judges one key. Returns how many acknowledged puts may still be its last operation.
    @inline(__always)
    private mutating func judgeKey(_ number: Int, _ versions: [Version], _ payload: [UInt8]?) -> Int {
        if versions.count == 1 && areSame(versions[0].kept, payload) {
            // The fast path for nearly every key of a correct state.
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
            addDifference(number: number, validator.table[number], versions, payload)
        } else if uncertain > 0 {
            uncertainKeys.append(number)
        }
        return living
    }

    private mutating func addDifference(number: Int?, _ key: ByteString, _ versions: [Version], _ payload: [UInt8]?) {
        let isLive = versions.isLive(order)
        var history = ValueHistory()
        if let payload, let number {
            history = validator.valueHistory(payload, under: number, at: tally.line)
        } else if let payload {
            history = validator.valueHistory(payload, underDropped: key)
        }
        let isLoss = payload == nil || history.isHeld
        if isLive {
            if isLoss { judgement.totals.dropped += 1 } else { judgement.totals.damaged += 1 }
        } else {
            judgement.totals.extras += 1
        }
        if payload != nil && history.isKnown && !history.isHeld { judgement.totals.mismatches += 1 }
        differences.append(
            Difference(
                number: number, key: key, payload: payload, breaks: Self.breaks(payload, history, isLive: isLive),
                firstHeld: history.isHeld ? history.firstHeld : nil, line: versions.legal(order).first?.line ?? 0,
                isLoss: isLoss))
    }

    /// The violated checks, by the table in `Validator`.
    private static func breaks(_ payload: [UInt8]?, _ history: ValueHistory, isLive: Bool) -> [Check] {
        guard let payload else { return lost }
        if !history.isKnown { return extra }
        if history.isHeld { return isLive ? lost : resurrected }
        let mixed = history.isMix(of: payload)
        return isLive ? (mixed ? mixedLive : damagedLive) : (mixed ? mixedGone : damagedGone)
    }

    private static let lost: [Check] = [.durable]
    private static let extra: [Check] = [.noExtras]
    private static let resurrected: [Check] = [.noResurrection, .durable]
    private static let mixedLive: [Check] = [.perKeyPrefix, .payloadIntegrity, .durable]
    private static let mixedGone: [Check] = [.perKeyPrefix, .payloadIntegrity, .noResurrection, .durable]
    private static let damagedLive: [Check] = [.payloadIntegrity, .perKeyPrefix, .durable]
    private static let damagedGone: [Check] = [.payloadIntegrity, .perKeyPrefix, .noResurrection, .durable]

    /// The violation of `check` by a difference.
    func violation(_ check: Check, _ difference: Difference, detail: String = "") -> Violation {
        let versions = difference.number.map(versions) ?? []
        return Violation(
            check: check, key: difference.key,
            expected: (versions.isEmpty ? [.absent] : versions).legal(order).map {
                KeyState(payload: $0.payload, line: $0.line)
            },
            found: KeyState(payload: difference.payload, line: difference.firstHeld),
            line: difference.line == 0 ? nil : difference.line, detail: detail)
    }

    /// Reports the differences that violate the contract. If unrecorded operations in flight (of a plain oracle) may
    /// explain all of them, lists them as unattributed instead.
    private mutating func attribute() {
        differences.sort { $0.line == $1.line ? $0.key < $1.key : $0.line < $1.line }
        let breaking = differences.filter { $0.breaks.contains(where: contract.checks.contains) }
        let inFlight = tally.hasIntents == true ? 0 : validator.options.plainInFlight
        let mayBeInFlight = inFlight > 0 && areExplained(breaking, inFlight: inFlight)
        var detail = ""
        if inFlight > 0 {
            let budget = inFlight * (tally.restarts.count + 1)
            detail =
                "without intents up to \(budget.counted("operation")) may be in flight, which cannot explain all "
                + "\(breaking.count.counted("difference"))"
        }
        for difference in differences {
            guard let check = difference.breaks.first(where: contract.checks.contains) else { continue }
            if mayBeInFlight {
                judgement.unattributed.append(violation(check, difference))
            } else if mayReport(check) {
                report(violation(check, difference, detail: detail))
            } else {
                judgement.counts[check, default: 0] += 1
            }
        }
    }

    /// Whether unrecorded operations, `inFlight` at the end of each life, can explain all these differences. Unless a
    /// lost tail is allowed, a value acknowledged in one life can only be replaced by operations of that life or a
    /// later one.
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

    /// Whether another violation of `check` is still reported, not only counted.
    private func mayReport(_ check: Check) -> Bool {
        judgement.counts[check, default: 0] < validator.options.violationsPerCheck
    }

    // MARK: Own check, second recovery and probe

    private mutating func judgeOwnCheck(of first: Observation, _ second: Recovery?) {
        if case .complaint(let complaint) = first.ownCheck {
            report(Violation(check: .consistent, detail: complaint))
        } else if case .opened(let observation) = second, case .complaint(let complaint) = observation.ownCheck {
            report(Violation(check: .consistent, detail: "after a second recovery: \(complaint)"))
        }
    }

    private mutating func judgeSecond(_ second: Recovery?, after first: Observation) {
        guard contract.checks.contains(.idempotent) else { return }
        switch second {
        case nil: judgement.notTried.append(.idempotent)
        case .failed, .hung, .filesystemBroken:
            report(Violation(check: .idempotent, detail: "the second recovery fails: \(second?.failure ?? "")"))
        case .opened(let observation):
            guard observation.entries != first.entries else { return }
            for entry in first.entries where observation[entry.key] != entry.payload {
                reportChange(of: entry.key, from: entry.payload, to: observation[entry.key])
            }
            for entry in observation.entries where first[entry.key] == nil {
                reportChange(of: entry.key, from: nil, to: entry.payload)
            }
        }
    }

    private mutating func reportChange(of key: ByteString, from first: [UInt8]?, to second: [UInt8]?) {
        report(
            Violation(
                check: .idempotent, key: key, expected: [KeyState(payload: first)], found: KeyState(payload: second),
                detail: "the second recovery differs from the first"))
    }

    private mutating func judgeProbe(_ probe: Evidence.Probe?) {
        guard contract.checks.contains(.writable) else { return }
        switch probe {
        case nil: judgement.notTried.append(.writable)
        case .kept: break
        case .refused(let reason):
            report(Violation(check: .writable, detail: "a write after recovery fails: \(reason)"))
        case .lost(let reason): report(Violation(check: .writable, detail: "a write after recovery is lost: \(reason)"))
        case .unkept(let reason):
            guard contract.checks.contains(.durable) else { break }
            report(Violation(check: .writable, detail: "a write after recovery is lost: \(reason)"))
        }
    }
}

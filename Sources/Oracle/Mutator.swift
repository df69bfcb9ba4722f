import Bytes

/// A run's history does not allow a mutation.
struct NotApplicable: Error {
    var reason: String
}

/// Puts a defect into an observation that certainly violates a given check.
///
/// It changes only unambiguous keys: those with a single legal value. In a plain oracle it changes more keys than
/// operations in flight could explain.
struct Mutator {
    /// A key whose observed value is the only legal one.
    private struct UnambiguousKey {
        var number: Int
        var key: ByteString
        var version: Version
    }

    /// The maximum number of invented keys.
    private static let maximumExtraKeys = 1 << 20

    private let validator: Validator
    private let observation: Observation
    private let line: Int
    /// How many keys must be wrong.
    private let wrongKeys: Int
    /// Sorted by begin line.
    private let candidates: [UnambiguousKey]
    private let olderValues: [Int: [UInt8]]

    init(_ validator: Validator, _ observation: Observation, _ contract: Contract, _ base: Judgement, at line: Int?) {
        self.validator = validator
        self.observation = observation
        let tally = validator.tally(at: line)
        self.line = tally.line
        let budget = tally.hasIntents == true ? 0 : validator.options.plainInFlight * (tally.restarts.count + 1)
        wrongKeys = base.counts.isEmpty ? max(1, budget + 1 - base.unattributed.count) : 1
        var candidates: [UnambiguousKey] = []
        for entry in observation.entries {
            guard let number = validator.table.number(of: entry.key),
                case let versions = validator.versions(number, at: tally.line), versions.count == 1,
                areSame(versions[0].kept, entry.payload)
            else { continue }
            candidates.append(UnambiguousKey(number: number, key: entry.key, version: versions[0]))
        }
        candidates.sort { ($0.version.begin, $0.key) < ($1.version.begin, $1.key) }
        self.candidates = candidates
        olderValues = Self.olderValues(of: candidates.map { ($0.number, $0.key, $0.version) }, validator, tally.line)
    }

    func evidence(of mutation: Mutation) -> Result<Evidence, NotApplicable> {
        do throws(NotApplicable) {
            switch mutation {
            case .unopened: return .success(Evidence(.failed(reason: "positive control")))
            case .unstableRecovery:
                return .success(Evidence(.opened(observation), secondRecovery: .opened(try withExtraKeys())))
            case .lostProbe:
                return .success(Evidence(.opened(observation), probe: .lost(reason: "positive control")))
            case .complaint:
                var blamed = observation
                blamed.ownCheck = .complaint("positive control")
                return .success(Evidence(.opened(blamed)))
            case .lostAcknowledgement: return try opened { (candidate) throws(NotApplicable) in nil }
            case .oldValue:
                return try opened { (candidate) throws(NotApplicable) in try older(candidate) }
            case .mixedValue: return try opened { (candidate) throws(NotApplicable) in try mixed(candidate) }
            case .flippedBit: return try opened { (candidate) throws(NotApplicable) in try flipped(candidate) }
            case .extraKey: return .success(Evidence(.opened(try withExtraKeys())))
            case .resurrectedDelete: return .success(Evidence(.opened(try withResurrectedKeys())))
            case .hole: return .success(Evidence(.opened(try withHole())))
            case .halfBatch: return .success(Evidence(.opened(try withHalfBatch())))
            }
        } catch {
            return .failure(error)
        }
    }

    // MARK: Single keys

    /// The observation with `wrongKeys` keys changed. Skips keys for which `change` throws.
    private func opened(
        _ change: (UnambiguousKey) throws(NotApplicable) -> [UInt8]?
    ) throws(NotApplicable) -> Result<Evidence, NotApplicable> {
        var changes: [ByteString: [UInt8]?] = [:]
        var why = NotApplicable(reason: "no key has an acknowledged value that no operation in flight could change")
        // Newest first, as a crash would.
        for candidate in candidates.reversed() where changes.count < wrongKeys {
            do throws(NotApplicable) {
                changes.updateValue(try change(candidate), forKey: candidate.key)
            } catch {
                why = error
            }
        }
        return .success(Evidence(.opened(try enough(changes, why))))
    }

    /// The observation with these changes, if they are enough.
    private func enough(_ changes: [ByteString: [UInt8]?], _ why: NotApplicable) throws(NotApplicable) -> Observation {
        guard !changes.isEmpty else { throw why }
        guard changes.count >= wrongKeys else {
            throw NotApplicable(
                reason:
                    "only \(changes.count.counted("key")) can be made wrong, and without intents operations in flight may "
                    + "explain as many")
        }
        return observation.changing(changes)
    }

    private func older(_ candidate: UnambiguousKey) throws(NotApplicable) -> [UInt8] {
        guard let older = olderValues[candidate.number] else {
            throw NotApplicable(reason: "no key has a known older value")
        }
        return older
    }

    private func mixed(_ candidate: UnambiguousKey) throws(NotApplicable) -> [UInt8] {
        let older = try older(candidate)
        guard let newer = candidate.version.payload else { throw NotApplicable(reason: "the key is absent") }
        let shared = min(older.count, newer.count)
        guard let difference = (0..<shared).first(where: { older[$0] != newer[$0] }), difference + 1 < newer.count,
            case let mixed = Array(older[...difference] + newer[(difference + 1)...]),
            case let history = validator.valueHistory(mixed, under: candidate.number, at: line),
            history.isMix(of: mixed)
        else { throw NotApplicable(reason: "no key has two payloads that can be mixed") }
        return mixed
    }

    private func flipped(_ candidate: UnambiguousKey) throws(NotApplicable) -> [UInt8] {
        guard var payload = candidate.version.payload, !payload.isEmpty else {
            throw NotApplicable(reason: "no payload has a bit to flip")
        }
        let middle = payload.count / 2
        for bit in UInt8(0)..<8 {
            payload[middle] ^= 1 << bit
            let history = validator.valueHistory(payload, under: candidate.number, at: line)
            if !history.isHeld && !history.isMix(of: payload) { return payload }
            payload[middle] ^= 1 << bit
        }
        throw NotApplicable(reason: "every flipped bit gives a payload from the key's history")
    }

    /// For each key an older value that is no longer legal.
    private static func olderValues(
        of candidates: [(number: Int, key: ByteString, version: Version)], _ validator: Validator, _ line: Int
    ) -> [Int: [UInt8]] {
        var older: [Int: [UInt8]] = [:]
        guard !validator.keepsEverything else {
            for (number, _, version) in candidates {
                let present = version.payload
                older[number] =
                    validator.records[number].past
                    .last {
                        $0.line <= line && $0.line < version.begin && $0.payload != nil && !areSame($0.payload, present)
                    }?.payload?.bytes
            }
            return older
        }
        let known = Dictionary(
            validator.replaced.overwritten.map { ($0.key, $0.payload) }, uniquingKeysWith: { first, _ in first })
        for (number, key, version) in candidates where !areSame(version.kept, known[key]) { older[number] = known[key] }
        return older
    }

    // MARK: Several keys

    private func withExtraKeys() throws(NotApplicable) -> Observation {
        guard wrongKeys <= Self.maximumExtraKeys else {
            throw NotApplicable(
                reason: "without intents operations in flight may explain \(wrongKeys - 1) keys")
        }
        var changes: [ByteString: [UInt8]?] = [:]
        var suffix = 0
        while changes.count < wrongKeys {
            let key = ByteString("faultline-control-\(suffix)")
            suffix += 1
            guard observation[key] == nil, !validator.isNamed(key) else { continue }
            changes.updateValue(Array("positive control".utf8), forKey: key)
        }
        return observation.changing(changes)
    }

    private func withResurrectedKeys() throws(NotApplicable) -> Observation {
        var changes: [ByteString: [UInt8]?] = [:]
        for (key, payload) in validator.deletedValues(at: line)
        where changes.count < wrongKeys && observation[key] == nil && changes[key] == nil {
            changes.updateValue(payload, forKey: key)
        }
        return try enough(changes, NotApplicable(reason: "no key is known to be deleted for good"))
    }

    private func withHole() throws(NotApplicable) -> Observation {
        // Operations in flight might explain keys on either side of the hole, so each side needs enough keys.
        guard candidates.count > wrongKeys, let oldest = candidates.first,
            candidates[wrongKeys...].count(where: {
                firstHeld($0) >= oldest.version.begin && $0.version.begin > oldest.version.begin
            }) >= wrongKeys
        else { throw NotApplicable(reason: "no two keys have values from different operations") }
        var changes: [ByteString: [UInt8]?] = [:]
        for candidate in candidates.prefix(wrongKeys) {
            changes.updateValue(olderValues[candidate.number], forKey: candidate.key)
        }
        return observation.changing(changes)
    }

    private func withHalfBatch() throws(NotApplicable) -> Observation {
        var batches: [Int: [UnambiguousKey]] = [:]
        for candidate in candidates where candidate.version.batch != 0 {
            batches[candidate.version.batch, default: []].append(candidate)
        }
        for batch in batches.keys.sorted(by: >) {
            let members = batches[batch]!
            guard let shown = members.last(where: { firstHeld($0) >= $0.version.begin }),
                let lost = members.first(where: { $0.number != shown.number })
            else { continue }
            var changes: [ByteString: [UInt8]?] = [:]
            changes.updateValue(olderValues[lost.number], forKey: lost.key)
            for candidate in candidates
            where changes.count < wrongKeys && candidate.number != shown.number && candidate.number != lost.number {
                changes.updateValue(nil, forKey: candidate.key)
            }
            return try enough(changes, NotApplicable(reason: ""))
        }
        throw NotApplicable(reason: "no acknowledged batch has two keys with its values")
    }

    private func firstHeld(_ candidate: UnambiguousKey) -> Int {
        candidate.version.payload.map { validator.valueHistory($0, under: candidate.number, at: line).firstHeld } ?? 0
    }
}

import Bytes

/// Why a mutation cannot be made of a run's history.
struct Impossible: Error {
    var reason: String
}

/// Makes an observation wrong, in a way that leaves no doubt which check is broken.
///
/// It touches only keys that nothing in flight concerns: whose observed value is the one thing that was legal. In a
/// plain oracle it touches as many keys as it takes to exceed what operations in flight might explain.
struct Mutator {
    /// A key at the only value that is legal.
    private struct Settled {
        var number: Int
        var key: ByteString
        var version: Version
    }

    /// How many keys are made up at most.
    private static let maximumExtraKeys = 1 << 20

    private let validator: Validator
    private let observation: Observation
    private let line: Int
    /// How many keys have to be wrong.
    private let wrongKeys: Int
    /// Sorted by the line on which their operation began.
    private let settled: [Settled]
    private let olderValues: [Int: [UInt8]]

    init(_ validator: Validator, _ observation: Observation, _ contract: Contract, _ base: Judgement, at line: Int?) {
        self.validator = validator
        self.observation = observation
        let tally = validator.tally(at: line)
        self.line = tally.line
        let budget = tally.hasIntents == true ? 0 : validator.options.plainInFlight * (tally.restarts.count + 1)
        wrongKeys = base.counts.isEmpty ? max(1, budget + 1 - base.unattributed.count) : 1
        var settled: [Settled] = []
        for entry in observation.entries {
            guard let number = validator.table.number(of: entry.key),
                case let versions = validator.versions(number, at: tally.line), versions.count == 1,
                areSame(versions[0].kept, entry.payload)
            else { continue }
            settled.append(Settled(number: number, key: entry.key, version: versions[0]))
        }
        settled.sort { ($0.version.begin, $0.key) < ($1.version.begin, $1.key) }
        self.settled = settled
        olderValues = Self.olderValues(of: settled.map { ($0.number, $0.key, $0.version) }, validator, tally.line)
    }

    func evidence(of mutation: Mutation) -> Result<Evidence, Impossible> {
        do throws(Impossible) {
            switch mutation {
            case .unopened: return .success(Evidence(.failed(reason: "positive control")))
            case .unstableRecovery:
                return .success(Evidence(.opened(observation), secondRecovery: .opened(try withExtraKeys())))
            case .lostProbe:
                return .success(Evidence(.opened(observation), probe: .lost(reason: "positive control")))
            case .lostAcknowledgement: return try opened { (settled) throws(Impossible) in nil }
            case .oldValue:
                return try opened { (settled) throws(Impossible) in try older(settled) }
            case .mixedValue: return try opened { (settled) throws(Impossible) in try mixed(settled) }
            case .flippedBit: return try opened { (settled) throws(Impossible) in try flipped(settled) }
            case .extraKey: return .success(Evidence(.opened(try withExtraKeys())))
            case .resurrectedDelete: return .success(Evidence(.opened(try withResurrectedKeys())))
            case .hole: return .success(Evidence(.opened(try withHole())))
            case .halfBatch: return .success(Evidence(.opened(try withHalfBatch())))
            }
        } catch {
            return .failure(error)
        }
    }

    // MARK: One key at a time

    /// The observation with as many keys changed as it takes; keys that `change` cannot change are passed over.
    private func opened(
        _ change: (Settled) throws(Impossible) -> [UInt8]?
    ) throws(Impossible) -> Result<Evidence, Impossible> {
        var changes: [ByteString: [UInt8]?] = [:]
        var why = Impossible(reason: "no key is at an acknowledged value that nothing in flight concerns")
        // From the newest backwards: what a crash would touch first.
        for settled in settled.reversed() where changes.count < wrongKeys {
            do throws(Impossible) {
                changes.updateValue(try change(settled), forKey: settled.key)
            } catch {
                why = error
            }
        }
        return .success(Evidence(.opened(try enough(changes, why))))
    }

    /// The observation with these changes, if they are as many as it takes.
    private func enough(_ changes: [ByteString: [UInt8]?], _ why: Impossible) throws(Impossible) -> Observation {
        guard !changes.isEmpty else { throw why }
        guard changes.count >= wrongKeys else {
            throw Impossible(
                reason:
                    "\(changes.count.counted("key")) could be made wrong, but operations in flight without intents may "
                    + "explain as many")
        }
        return observation.changing(changes)
    }

    private func older(_ settled: Settled) throws(Impossible) -> [UInt8] {
        guard let older = olderValues[settled.number] else {
            throw Impossible(reason: "no key is known to have had an older value")
        }
        return older
    }

    private func mixed(_ settled: Settled) throws(Impossible) -> [UInt8] {
        let older = try older(settled)
        guard let newer = settled.version.payload else { throw Impossible(reason: "the key is not there") }
        let shared = min(older.count, newer.count)
        guard let difference = (0..<shared).first(where: { older[$0] != newer[$0] }), difference + 1 < newer.count,
            case let mixed = Array(older[...difference] + newer[(difference + 1)...]),
            case let recall = validator.recall(mixed, under: settled.number, at: line), recall.isMix(of: mixed)
        else { throw Impossible(reason: "no key has two payloads that can be mixed") }
        return mixed
    }

    private func flipped(_ settled: Settled) throws(Impossible) -> [UInt8] {
        guard var payload = settled.version.payload, !payload.isEmpty else {
            throw Impossible(reason: "no payload has a bit to flip")
        }
        let place = payload.count / 2
        for bit in UInt8(0)..<8 {
            payload[place] ^= 1 << bit
            let recall = validator.recall(payload, under: settled.number, at: line)
            if !recall.isHeld && !recall.isMix(of: payload) { return payload }
            payload[place] ^= 1 << bit
        }
        throw Impossible(reason: "every flipped bit makes a payload that the key could have had")
    }

    /// A value that each key held before its present one, and that is not legal any more.
    private static func olderValues(
        of settled: [(number: Int, key: ByteString, version: Version)], _ validator: Validator, _ line: Int
    ) -> [Int: [UInt8]] {
        var older: [Int: [UInt8]] = [:]
        guard !validator.keepsEverything else {
            for (number, _, version) in settled {
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
        for (number, key, version) in settled where !areSame(version.kept, known[key]) { older[number] = known[key] }
        return older
    }

    // MARK: The state as a whole

    private func withExtraKeys() throws(Impossible) -> Observation {
        guard wrongKeys <= Self.maximumExtraKeys else {
            throw Impossible(
                reason: "operations in flight without intents may explain as many as \(wrongKeys - 1) keys")
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

    private func withResurrectedKeys() throws(Impossible) -> Observation {
        var changes: [ByteString: [UInt8]?] = [:]
        for (key, payload) in validator.deletedValues(at: line)
        where changes.count < wrongKeys && observation[key] == nil && changes[key] == nil {
            changes.updateValue(payload, forKey: key)
        }
        return try enough(changes, Impossible(reason: "no key is known whose delete was acknowledged and is final"))
    }

    private func withHole() throws(Impossible) -> Observation {
        // Where operations in flight may explain some keys, they may be those on either side of the hole.
        guard settled.count > wrongKeys, let oldest = settled.first,
            settled[wrongKeys...].count(where: {
                firstHeld($0) >= oldest.version.begin && $0.version.begin > oldest.version.begin
            }) >= wrongKeys
        else { throw Impossible(reason: "there are no two keys of which one is at a later operation than the other") }
        var changes: [ByteString: [UInt8]?] = [:]
        for settled in settled.prefix(wrongKeys) {
            changes.updateValue(olderValues[settled.number], forKey: settled.key)
        }
        return observation.changing(changes)
    }

    private func withHalfBatch() throws(Impossible) -> Observation {
        var batches: [Int: [Settled]] = [:]
        for settled in settled where settled.version.batch != 0 {
            batches[settled.version.batch, default: []].append(settled)
        }
        for batch in batches.keys.sorted(by: >) {
            let members = batches[batch]!
            guard let shown = members.last(where: { firstHeld($0) >= $0.version.begin }),
                let lost = members.first(where: { $0.number != shown.number })
            else { continue }
            var changes: [ByteString: [UInt8]?] = [:]
            changes.updateValue(olderValues[lost.number], forKey: lost.key)
            for settled in settled
            where changes.count < wrongKeys && settled.number != shown.number && settled.number != lost.number {
                changes.updateValue(nil, forKey: settled.key)
            }
            return try enough(changes, Impossible(reason: ""))
        }
        throw Impossible(reason: "no acknowledged batch has two keys that are at it")
    }

    private func firstHeld(_ settled: Settled) -> Int {
        settled.version.payload.map { validator.recall($0, under: settled.number, at: line).firstHeld } ?? 0
    }
}

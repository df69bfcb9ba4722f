import Bytes

/// Judges the content of a store after a crash by its acknowledgements before.
///
///     var validator = Validator(.watching(observation))
///     try reader.read(chunk.span) { line, number throws(OracleError) in try validator.apply(line, at: number) }
///     let judgement = validator.judge(Evidence(.opened(observation)), contract: .durable)
///
/// ## Legal values of a key
///
/// An operation's begin line is written before the call to the store, and its answer after the call returned. It takes
/// effect in between or, without an answer, at any time after its begin line or never. So operation x is *before* y
/// exactly if x's answer is above y's begin line; otherwise the store may order them either way.
///
/// After a crash a durable store has, for each key, the result of the last operation in *some* order of all
/// acknowledged operations and *any* of those in flight, where the order respects "before". Hence an operation may be
/// the last one exactly if no acknowledged operation on its key began after its answer. An operation in flight is
/// always possible (it may be the last) and excludes nothing (it may not have happened). A key without acknowledged
/// operations may be absent.
///
/// Keys are independent: if each key's choice is legal on its own, one order satisfies all. Proof: contradictory
/// choices would form a cycle of "before" steps (in time) and "not last" steps (by choice). Each time step skips the
/// intervals of the choices in between, so one choice would have been answered before another operation on its key
/// began; but then it would not be legal.
///
/// So a key needs no history. Its `versions` are the operations that may be the last one, and those in flight. An
/// acknowledgement removes those it replaces. Versions that may be last all overlap in time, so there are never more
/// than operations in flight at once, failed, or left open by a restart. A line costs about one look-up
/// (`LiveVersions`); judging a key is linear in its versions.
///
/// - A *batch* is one call of the store: its first answer answers all its operations. Its operations on one key apply
///   in begin order.
/// - A *failed* operation has ended but may have happened: it excludes nothing, and later acknowledged operations
///   exclude it.
/// - A *restart* ends the operations in flight. If it was observed (`resolve`), each key has its observed value. If not
///   (`apply`), the operations in flight become like failed ones.
/// - A *plain* oracle does not record operations in flight. Its acknowledgements are sequential in time. Up to
///   `plainInFlight` differences per life of the store are reported as unattributed, since operations in flight could
///   explain them; only operations of the life in which the key was last acknowledged, or of a later one, can. If there
///   are more differences, at least one is a violation, but it is unknown which: all are reported.
/// - With a *single writer* (`Check.noHoles` in the contract) begin order is the order of effect, which excludes more.
///   Acknowledgements out of that order prove several writers; the check is then unjudged, not violated.
///
/// ## The violated check
///
/// The verdict of `durable`, `ordered` and `transactional` follows from the versions alone. The name of the violated
/// check, and whether `prefix` tolerates the difference, depend on whether the key ever had the value:
///
/// | observed | the key's history | violated checks, most specific first | |---|---|---| | a value | has no operation
/// on the key | no-extras | | a value | never had it; it is the start of one payload and the end of another |
/// per-key-prefix, payload-integrity | | a value | never had it | payload-integrity, per-key-prefix | | a value | had
/// it; the key must be absent | no-resurrection, durable | | a value | had it; a later one is acknowledged | durable |
/// | no key | the key must exist | durable |
///
/// A difference is one violation: of the first check in its row that the contract includes. (A value outside the
/// history of a key that must be absent also violates no-resurrection, after the two named.)
///
/// ## Memory
///
/// `.watching(observation)` streams: it keeps live keys, operations in flight, and the history only of the observed
/// values (`ValueHistory`), so memory does not grow with the oracle. It judges only at the last applied line.
///
/// `.everything` keeps the whole history and judges any observation at any line, as exploration needs. Memory is in
/// proportion to the history; copies share storage; payloads may go to a `PayloadSpillStore`.
///
/// Both give the same judgements, with one exception: for values other than the watched one (mutations of the positive
/// control) the streaming mode knows only the versions and a few recently replaced values, and for a key without
/// versions not the line of its delete.
///
/// Not judged: the order of batches relative to each other (isolation), and reads during the workload. Pure and
/// Sendable; judging does not change the validator, so many threads may share one.
public struct Validator: Sendable {
    /// How much of the history is kept.
    public enum Memory: Sendable {
        case everything
        case watching(Observation)
    }

    public struct Options: Hashable, Sendable {
        /// The maximum number of concurrent operations in the workload of a plain oracle; up to 2^31.
        public var plainInFlight: Int
        /// The maximum number of reported violations of one check. All are counted.
        public var violationsPerCheck: Int
        /// The keys whose payloads are compared; nil for all. For other keys only existence is checked, and checks over
        /// several keys (`noHoles`, `atomic`) are not tried.
        public var comparedKeys: Set<ByteString>?

        public init(plainInFlight: Int = 1, violationsPerCheck: Int = 5) {
            self.plainInFlight = min(max(0, plainInFlight), 1 << 31)
            self.violationsPerCheck = max(1, violationsPerCheck)
        }
    }

    public let options: Options
    let keepsEverything: Bool
    private let spillStore: (any PayloadSpillStore)?
    var table = KeyTable()
    var records: [KeyRecord] = []
    var tally = Tally()
    /// With the whole history: `tally` after each line.
    var tallies: [Tally] = []
    /// The lines of unobserved restarts.
    var restarts: [Int] = []
    /// The line of the last restart, observed or not; 0 before the first.
    private var lifeBegin = 0
    /// At least the keys with operations that began since then.
    private var begunKeys: [Int] = []
    var batches = Batches()
    var watched: [WatchedValue] = []
    var replaced = ReplacedValues()

    /// - Parameter spillStore: receives payloads of the history that do not fit into memory; nil to keep all in memory.
    public init(
        _ memory: Memory = .everything, options: Options = Options(), spillStore: (any PayloadSpillStore)? = nil
    ) {
        self.options = options
        self.spillStore = spillStore
        switch memory {
        case .everything: keepsEverything = true
        case .watching(let observation):
            keepsEverything = false
            watched.reserveCapacity(observation.count)
            for entry in observation.entries {
                let number = addRecord(entry.key)
                records[number].watch = Int32(watched.count)
                watched.append(WatchedValue(entry.payload))
            }
        }
    }

    /// The last line applied; 0 before the first.
    public var line: Int { tally.line }

    /// Applies the next line. Lines must come in order from an `OracleReader`, which checks their numbers.
    public mutating func apply(_ line: OracleLine, at number: Int) throws(OracleError) {
        tally.line = number
        switch line {
        case .begin(let operation): begin(operation, at: number)
        case .acknowledged(let operation) where tally.hasIntents != true: acknowledgePlainly(operation, at: number)
        case .acknowledged(let operation): try answer(operation, at: number, certain: true)
        case .failed(let operation): try answer(operation, at: number, certain: false)
        case .restart: restart(at: number)
        }
        if keepsEverything { tallies.append(tally) }
    }

    private mutating func begin(_ operation: OracleOperation, at line: Int) {
        tally.hasIntents = true
        let number = record(of: operation.key)
        let kept = kept(operation.action.payload)
        let version = Version(
            kept: kept, seq: operation.seq, begin: line, closed: .max, isCertain: false,
            batch: operation.txn.map { batches.begin($0, number, operation.seq) } ?? 0)
        records[number].apply(.begin(version), at: line)
        if !records[number].isListed {
            records[number].isListed = true
            begunKeys.append(number)
        }
        note(operation.action.payload, kept, of: number, at: line)
    }

    private mutating func answer(_ operation: OracleOperation, at line: Int, certain: Bool) throws(OracleError) {
        guard let txn = operation.txn else {
            guard let number = table.number(of: operation.key), close(operation.seq, number, at: line, certain) else {
                throw .sequence(line: line, seq: operation.seq, rule: "answered but not begun, or answered twice")
            }
            return
        }
        // A batch is one call of the store: its first answer answers all operations.
        for member in batches.answer(txn) { _ = close(member.seq, member.number, at: line, certain) }
    }

    /// False when no such operation is in flight.
    private mutating func close(_ seq: UInt64, _ number: Int, at line: Int, _ certain: Bool) -> Bool {
        guard let begin = records[number].versions.begin(ofInFlight: seq, lifeBegin: lifeBegin) else { return false }
        if certain { acknowledge(begin, at: line) }
        if !certain, keepsEverything { records[number].noteOpen(begin: begin, from: line) }
        applyStep(.answer(begin: begin, closed: line, isCertain: certain), of: number, at: line)
        return true
    }

    private mutating func acknowledgePlainly(_ operation: OracleOperation, at line: Int) {
        tally.hasIntents = false
        let number = record(of: operation.key)
        let kept = kept(operation.action.payload)
        let version = Version(
            kept: kept, seq: operation.seq, begin: line, closed: line, isCertain: true,
            batch: batches.plain(operation.txn))
        acknowledge(line, at: line)
        applyStep(.replaceAll(version), of: number, at: line)
        note(operation.action.payload, kept, of: number, at: line)
    }

    /// Counts the acknowledgement of an operation that began at `begin`.
    private mutating func acknowledge(_ begin: Int, at line: Int) {
        tally.acknowledged += 1
        if begin > tally.lastCertainBegin {
            tally.lastCertainBegin = begin
        } else if tally.outOfOrder == nil {
            tally.outOfOrder = line
        }
    }

    /// An unobserved restart: operations in flight have ended and may have happened.
    private mutating func restart(at line: Int) {
        let ended = lifeBegin
        for number in beginLife(at: line) where !records[number].isDropped {
            if keepsEverything {
                for begin in records[number].versions.inFlight(after: ended) {
                    records[number].noteOpen(begin: begin, from: line)
                }
            }
            records[number].apply(.restart(lifeBegin: ended, closed: line), at: line)
        }
        restarts.append(line)
        tally.restarts = tally.restarts.lowerBound..<restarts.count
    }

    /// Applies a restart line at which `observation` was made. It decides all unknown outcomes: from now on each key
    /// has its observed value, legal or not, so that the next judgement does not repeat the last one.
    public mutating func resolve(by observation: Observation, at line: Int) {
        tally.line = line
        var seen = [Bool](repeating: false, count: records.count)
        for entry in observation.entries {
            let number = record(of: entry.key)
            if number < seen.count { seen[number] = true }
            resolve(number, on: entry.payload, at: line)
        }
        for number in seen.indices where !seen[number] && !records[number].isDropped {
            resolve(number, on: nil, at: line)
        }
        _ = beginLife(at: line)
        tally.restarts = restarts.count..<restarts.count
        if keepsEverything { tallies.append(tally) }
    }

    private mutating func resolve(_ number: Int, on payload: [UInt8]?, at line: Int) {
        let versions = records[number].versions.current
        let match =
            versions.first { $0.isCertain && areSame($0.kept, payload) }
            ?? versions.first { areSame($0.kept, payload) }
        if let match, versions.count == 1, match.isCertain, match.batch == 0 { return }
        var resolved =
            match
            ?? Version(
                kept: kept(payload), seq: 0, begin: line, closed: line, isCertain: true, batch: 0)
        if !resolved.isCertain { resolved.closed = line }
        resolved.isCertain = true
        resolved.batch = 0
        applyStep(.resolve(resolved), of: number, at: line)
        if match == nil {
            note(payload, resolved.kept, of: number, at: line)
        } else if keepsEverything, let last = records[number].past.last, !areSame(last.payload, payload) {
            // Later values are lost for good.
            records[number].past.append((line, resolved.kept))
        }
    }

    /// Starts a new life of the store after `line`. Returns the keys with operations in the last one.
    private mutating func beginLife(at line: Int) -> [Int] {
        let begun = begunKeys
        begunKeys = []
        for number in begun { records[number].isListed = false }
        batches.restart()
        lifeBegin = line
        return begun
    }

    // MARK: Records

    private func kept(_ payload: [UInt8]?) -> KeptPayload? { payload.map { KeptPayload($0, spillingTo: spillStore) } }

    private mutating func record(of key: ByteString) -> Int { table.number(of: key) ?? addRecord(key) }

    private mutating func addRecord(_ key: ByteString) -> Int {
        let number = table.add(key)
        var record = KeyRecord(keepsEverything: keepsEverything)
        if number == records.count {
            records.append(record)
        } else {
            // The number of a dropped key may still be listed.
            record.isListed = records[number].isListed
            records[number] = record
        }
        return number
    }

    /// Adds the payload of an operation that begins at `line` to the key's history.
    private mutating func note(_ payload: [UInt8]?, _ kept: KeptPayload?, of number: Int, at line: Int) {
        let watch = Int(records[number].watch)
        if watch >= 0 { watched[watch].note(payload, at: line) }
        if keepsEverything { records[number].past.append((line, kept)) }
    }

    /// Applies a step to a key, and drops the key if it only has a certain absence.
    @inline(__always)
    private mutating func applyStep(_ step: LiveVersions.Step, of number: Int, at line: Int) {
        let replacement = records[number].apply(step, at: line)
        if keepsEverything { return }
        if let replacement { replaced.note(table[number], replacement.old, by: replacement.new) }
        guard records[number].versions.isOnlyCertainAbsence, records[number].watch < 0 else { return }
        table.remove(number)
        records[number].drop()
    }
}

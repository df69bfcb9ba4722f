import Bytes

/// Judges what a store showed after a crash by what it had acknowledged before.
///
///     var validator = Validator(.watching(observation))
///     try reader.read(chunk.span) { line, number throws(OracleError) in try validator.apply(line, at: number) }
///     let judgement = validator.judge(Evidence(.opened(observation)), contract: .durable)
///
/// ## What is legal for a key
///
/// An operation begins with its begin line, which is written before the store is called, and is answered by a line
/// that is written after the store's call returned. Its effect lies between the two, or, if it was never answered,
/// anywhere after its begin line, or nowhere. So operation x is *before* y exactly if x's answer stands above y's
/// begin line; otherwise the store may have ordered them either way.
///
/// After a crash a durable store holds, for each key, what the last operation left in *some* order of all acknowledged
/// operations and *any* of those in flight, an order that respects "before". Hence an operation may be the last one
/// exactly if no acknowledged operation on its key began after it was answered. One in flight is never ruled out (it
/// may be the last to happen), and rules nothing out (it may not have happened). A key without acknowledged operations
/// may be absent. Keys do not constrain each other: if each key's choice is legal alone, one order has them all. For
/// were the choices contradictory, they would form a circle of "before" (time) and "not last" (choice) steps; the
/// steps in time each jump over the intervals of the choices between them, so that one choice would have been answered
/// before another operation on its key began, which its legality excludes.
///
/// So a key needs no history: its `versions` are the operations that may be the last one, and those in flight. An
/// acknowledgement removes what it replaces. Versions that may be last all overlap in time, so that there are never
/// more of them than operations were in flight at once, refused or left open by a restart. Each line costs about
/// a look-up, however many there are (`LiveVersions`), and judging a key about as much as it has versions.
///
/// - A *batch* is one call of the store: its first answer answers all of it, and its operations on one key apply in
///   begin order.
/// - *Failed* operations are over, but may have happened: they rule nothing out, and are ruled out by what is
///   acknowledged of a later one.
/// - A *restart* closes what is in flight. Observed (`settle`), it makes each key what was seen; unobserved (`apply`),
///   it leaves operations that are over and may have happened, like failed ones.
/// - A *plain* oracle does not record what is in flight. Acknowledgements then follow each other in time, and at most
///   `plainInFlight` differences are set apart as unattributed, as operations in flight could be behind them: that many
///   for each life of the store, and only by operations of the life in which the key was last acknowledged or of a
///   later one. With more than that the surplus proves a violation, though not which it is: all are told.
/// - With a *single writer* (`Check.noHoles` is in the contract) begin order is effect order, which rules out more.
///   Acknowledgements out of that order prove several writers: that check is then unjudged, not failed.
///
/// ## Which check a difference breaks
///
/// The verdict of `durable`, `ordered` and `transactional` follows from the versions alone. Which check a difference
/// is *named* after, and whether `prefix` forgives it, asks whether the key ever held the value:
///
/// | observed | the key's history | broken, the most telling first |
/// |---|---|---|
/// | a value | never named the key | no-extras |
/// | a value | never held it; it is the start of one payload and the end of another | per-key-prefix, payload-integrity |
/// | a value | never held it | payload-integrity, per-key-prefix |
/// | a value | held it; the key must be gone | no-resurrection, durable |
/// | a value | held it; a later one is acknowledged | durable |
/// | no key | it must be there | durable |
///
/// A difference is one violation: of the first check in its row that the contract holds. (A never-held value under a
/// key that must be gone also breaks no-resurrection, after the two named.)
///
/// ## Memory
///
/// `.watching(observation)` streams: it keeps live keys, what is in flight, and of the history only what concerns the
/// values that were observed (whether, and where, each was held: `Recall`), so memory does not grow with the oracle.
/// It judges at the last line applied. `.everything` keeps the whole history, in memory in proportion to it, and
/// judges any observation at any line, as an explorer wants; copies share their storage until they differ. Payloads of
/// such a history may lie on a shelf (`PayloadShelf`).
/// Both judge alike; the one difference is that for a value other than the watched one (a mutation of the positive
/// control) the streaming memory knows only the versions and a few recently replaced values, and of a key of which
/// nothing is left not the line of its delete.
///
/// Not judged: the order of batches against each other (isolation), and reads during the workload.
/// Pure and Sendable; judging does not change the validator, so that many threads may judge with one.
public struct Validator: Sendable {
    /// What is kept of the history.
    public enum Memory: Sendable {
        case everything
        case watching(Observation)
    }

    public struct Options: Hashable, Sendable {
        /// How many operations a plain oracle's workload may have had in flight at once; up to 2^31.
        public var plainInFlight: Int
        /// How many violations of one check are told; all are counted.
        public var violationsTold: Int
        /// The keys whose payload is compared; of the others only that they are there. Nil: every key. Checks that look
        /// at several keys at once (`noHoles`, `atomic`) are not tried then.
        public var comparedKeys: Set<ByteString>?

        public init(plainInFlight: Int = 1, violationsTold: Int = 5) {
            self.plainInFlight = min(max(0, plainInFlight), 1 << 31)
            self.violationsTold = max(1, violationsTold)
        }
    }

    public let options: Options
    let keepsEverything: Bool
    private let shelf: (any PayloadShelf)?
    var table = KeyTable()
    var records: [KeyRecord] = []
    var tally = Tally()
    /// `tally` after each line, when everything is kept.
    var tallies: [Tally] = []
    /// The lines of the restarts that nobody observed.
    var restarts: [Int] = []
    /// The last restart of either kind; 0 before the first.
    private var lifeBegin = 0
    /// The keys of which an operation began since then, at least.
    private var begunKeys: [Int] = []
    var batches = Batches()
    var watched: [Watch] = []
    var replaced = ReplacedValues()

    /// - Parameter shelf: where payloads of the history are put that memory has no room for; nil to keep all in memory.
    public init(
        _ memory: Memory = .everything, options: Options = Options(), shelf: (any PayloadShelf)? = nil
    ) {
        self.options = options
        self.shelf = shelf
        switch memory {
        case .everything: keepsEverything = true
        case .watching(let observation):
            keepsEverything = false
            watched.reserveCapacity(observation.count)
            for entry in observation.entries {
                let number = addRecord(entry.key)
                records[number].watch = Int32(watched.count)
                watched.append(Watch(entry.payload))
            }
        }
    }

    /// The last line applied; 0 before the first.
    public var line: Int { tally.line }

    /// The state after one more line. Lines come in order, from an `OracleReader`, which checks their numbers.
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
        // The store has one call for a batch: its first answer answers all of it.
        for member in batches.answer(txn) { _ = close(member.seq, member.number, at: line, certain) }
    }

    /// False when no such operation is in flight.
    private mutating func close(_ seq: UInt64, _ number: Int, at line: Int, _ certain: Bool) -> Bool {
        guard let begin = records[number].versions.begin(ofInFlight: seq, lifeBegin: lifeBegin) else { return false }
        if certain { acknowledge(begin, at: line) }
        if !certain, keepsEverything { records[number].noteOpen(begin: begin, from: line) }
        take(.answer(begin: begin, closed: line, isCertain: certain), of: number, at: line)
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
        take(.replaceAll(version), of: number, at: line)
        note(operation.action.payload, kept, of: number, at: line)
    }

    /// An operation that began at `begin` is acknowledged.
    private mutating func acknowledge(_ begin: Int, at line: Int) {
        tally.acknowledged += 1
        if begin > tally.lastCertainBegin {
            tally.lastCertainBegin = begin
        } else if tally.outOfOrder == nil {
            tally.outOfOrder = line
        }
    }

    /// A restart that nobody observed: what was in flight is over, and may have happened.
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

    /// A restart line, at which the store showed `observation`: what was open is settled by it. Every key is from here
    /// on what was seen, whether that was legal or not, so that the next judgement does not repeat the last.
    public mutating func settle(by observation: Observation, at line: Int) {
        tally.line = line
        var seen = [Bool](repeating: false, count: records.count)
        for entry in observation.entries {
            let number = record(of: entry.key)
            if number < seen.count { seen[number] = true }
            settle(number, on: entry.payload, at: line)
        }
        for number in seen.indices where !seen[number] && !records[number].isDropped {
            settle(number, on: nil, at: line)
        }
        _ = beginLife(at: line)
        tally.restarts = restarts.count..<restarts.count
        if keepsEverything { tallies.append(tally) }
    }

    private mutating func settle(_ number: Int, on payload: [UInt8]?, at line: Int) {
        let versions = records[number].versions.current
        let match =
            versions.first { $0.isCertain && areSame($0.kept, payload) }
            ?? versions.first { areSame($0.kept, payload) }
        if let match, versions.count == 1, match.isCertain, match.batch == 0 { return }
        var settled =
            match
            ?? Version(
                kept: kept(payload), seq: 0, begin: line, closed: line, isCertain: true, batch: 0)
        if !settled.isCertain { settled.closed = line }
        settled.isCertain = true
        settled.batch = 0
        take(.settle(settled), of: number, at: line)
        if match == nil {
            note(payload, settled.kept, of: number, at: line)
        } else if keepsEverything, let last = records[number].past.last, !areSame(last.payload, payload) {
            // What came after it is lost for good.
            records[number].past.append((line, settled.kept))
        }
    }

    /// A new life of the store begins after `line`. Answers the keys of which an operation began in the last one.
    private mutating func beginLife(at line: Int) -> [Int] {
        let begun = begunKeys
        begunKeys = []
        for number in begun { records[number].isListed = false }
        batches.restart()
        lifeBegin = line
        return begun
    }

    // MARK: Records

    private func kept(_ payload: [UInt8]?) -> KeptPayload? { payload.map { KeptPayload($0, on: shelf) } }

    private mutating func record(of key: ByteString) -> Int { table.number(of: key) ?? addRecord(key) }

    private mutating func addRecord(_ key: ByteString) -> Int {
        let number = table.add(key)
        var record = KeyRecord(keepsEverything: keepsEverything)
        if number == records.count {
            records.append(record)
        } else {
            // The number of a key that was dropped may be listed still.
            record.isListed = records[number].isListed
            records[number] = record
        }
        return number
    }

    /// The operation that begins at `line` asks the key to hold `payload`.
    private mutating func note(_ payload: [UInt8]?, _ kept: KeptPayload?, of number: Int, at line: Int) {
        let watch = Int(records[number].watch)
        if watch >= 0 { watched[watch].note(payload, at: line) }
        if keepsEverything { records[number].past.append((line, kept)) }
    }

    /// Does to a key what `line` says, and drops it if nothing is left of it.
    @inline(__always)
    private mutating func take(_ step: LiveVersions.Step, of number: Int, at line: Int) {
        let replacement = records[number].apply(step, at: line)
        if keepsEverything { return }
        if let replacement { replaced.note(table[number], replacement.old, by: replacement.new) }
        guard records[number].versions.isOnlyCertainAbsence, records[number].watch < 0 else { return }
        table.remove(number)
        records[number].drop()
    }
}

import Model

/// The states that an exploration has seen: the number of each state's evidence, and the oracle line at which each evidence
/// was last judged. It also knows the states that were recovered before the exploration was resumed.
///
/// Concurrent reads are safe while no thread writes.
final class SeenStates: @unchecked Sendable {
    /// By state hash: the number of the evidence. For a queued state: −1 − the last line at which it was queued.
    private let states: StateIndex
    /// By the digest of evidence: its number.
    private let digests: StateIndex
    /// For each evidence number: the last line at which it was judged, and the last at which it failed.
    private var lastJudged: [Int] = []
    private var lastFailed: [Int] = []
    /// The failing states that were counted, each with the line at which it was.
    private var counted: StateIndex

    /// The states that were recovered, and counted, before this exploration was resumed.
    private let earlier: StateIndex?

    /// Throws if the system has no memory; so do the mutating methods.
    init(earlier: StateIndex? = nil) throws(RecordingError) {
        self.earlier = earlier
        states = try StateIndex()
        digests = try StateIndex()
        counted = try StateIndex()
    }

    /// Whether the state was recovered, and counted, before this exploration was resumed.
    func wasRecoveredEarlier(_ hash: StateHash) -> Bool { earlier?[hash] != nil }

    /// Whether the state is new, was not judged at this line, or fails there and was not counted.
    @inline(__always)
    func needsCheck(_ hash: StateHash, at line: Int) -> Bool {
        guard let number = states[hash] else { return true }
        if number < 0 { return number != Self.queued(at: line) }
        if lastJudged[Int(number)] != line { return true }
        return lastFailed[Int(number)] == line && counted[Self.counting(hash, at: line)] == nil
    }

    /// Prefetches the slots of these states into the processor's cache.
    @inline(__always)
    func prefetch(_ hashes: [StateHash]) { states.prefetch(hashes) }

    /// Marks the state as queued at this line. True if it is new.
    func enqueue(_ hash: StateHash, at line: Int) throws(RecordingError) -> Bool {
        guard let number = try states.insert(hash, Self.queued(at: line)) else { return true }
        if number < 0 { try states.set(hash, Self.queued(at: line)) }
        return false
    }

    private static func queued(at line: Int) -> Int32 { -1 - Int32(line) }

    /// The number of the state's evidence; nil while it is queued.
    func shown(by hash: StateHash) -> Int? { states[hash].flatMap { $0 < 0 ? nil : Int($0) } }

    /// The number of the evidence with this digest.
    func number(ofDigest digest: StateHash) -> Int? { digests[digest].map(Int.init) }

    /// Records the evidence of a state by its digest. True if the evidence is new.
    func enter(_ hash: StateHash, showing digest: StateHash) throws(RecordingError) -> Bool {
        let fresh = Int32(lastJudged.count)
        let number = try digests.insert(digest, fresh)
        try states.set(hash, number ?? fresh)
        if number == nil {
            lastJudged.append(-1)
            lastFailed.append(-1)
        }
        return number == nil
    }

    /// Marks evidence as judged at this line. False if it was already judged at this line.
    func judge(_ number: Int, at line: Int) -> Bool {
        defer { lastJudged[number] = line }
        return lastJudged[number] != line
    }

    /// Discards all judgements.
    func resetJudgements() throws(RecordingError) {
        for number in lastJudged.indices { (lastJudged[number], lastFailed[number]) = (-1, -1) }
        counted = try StateIndex()
    }

    /// Marks evidence as failing at this line, so that each state with it needs a check there.
    func recordFailure(_ number: Int, at line: Int) { lastFailed[number] = line }

    /// Marks a failing state as counted at this line. False if it was already counted at this line.
    func count(_ hash: StateHash, at line: Int) throws(RecordingError) -> Bool {
        try counted.insert(Self.counting(hash, at: line), 0) == nil
    }

    private static func counting(_ hash: StateHash, at line: Int) -> StateHash {
        .mixed(hash, StateHash(high: UInt64(bitPattern: Int64(line)), low: 0))
    }

    /// Calls `body` with each recovered state, including those before the exploration was resumed.
    func forEachRecovered(_ body: (StateHash) throws -> Void) rethrows {
        try earlier?.forEachState { hash, _ in try body(hash) }
        try states.forEachState { hash, number in
            if number >= 0, !wasRecoveredEarlier(hash) { try body(hash) }
        }
    }
}

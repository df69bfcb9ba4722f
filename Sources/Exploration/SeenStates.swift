import Model

/// The states of an exploration that were seen: what each showed, by number, and at which line each thing that was shown
/// was last judged. The one set of them; also of the states that an exploration recovered before it was resumed.
///
/// Reading from several threads is safe while none writes.
final class SeenStates: @unchecked Sendable {
    /// By hash: the number of what was shown. While it waits: −1 − the last line at which it does.
    private let states: StateIndex
    /// By the digest of what was shown: its number.
    private let digests: StateIndex
    /// For each number: the last line at which it was judged, and the last at which it was wrong.
    private var lastJudged: [Int] = []
    private var lastFailed: [Int] = []
    /// By hash, of states that are wrong: the last line at which they were counted.
    private var counted: StateIndex

    /// States that were recovered before this exploration was resumed: known, and counted already.
    private let earlier: StateIndex?

    /// Throws when the system has no memory for it; so do the changes.
    init(earlier: StateIndex? = nil) throws(RecordingError) {
        self.earlier = earlier
        states = try StateIndex()
        digests = try StateIndex()
        counted = try StateIndex()
    }

    /// Whether the state was recovered, and counted, before this exploration was resumed.
    func wasRecoveredEarlier(_ hash: StateHash) -> Bool { earlier?[hash] != nil }

    /// Whether the state is new, was not yet judged at this line, or is wrong there and was not yet counted.
    @inline(__always)
    func needsLook(_ hash: StateHash, at line: Int) -> Bool {
        guard let number = states[hash] else { return true }
        if number < 0 { return number != Self.waiting(at: line) }
        if lastJudged[Int(number)] != line { return true }
        return lastFailed[Int(number)] == line && counted[hash] != Int32(line)
    }

    /// Has the places of these states near before they are asked for, one by one.
    @inline(__always)
    func bringNear(_ hashes: [StateHash]) { states.bringNear(hashes) }

    /// Says that the state waits at this line; true when it was not met before.
    func wait(_ hash: StateHash, at line: Int) throws(RecordingError) -> Bool {
        guard let number = try states.insert(hash, Self.waiting(at: line)) else { return true }
        if number < 0 { try states.set(hash, Self.waiting(at: line)) }
        return false
    }

    private static func waiting(at line: Int) -> Int32 { -1 - Int32(line) }

    /// What the state showed, when it waits no more.
    func shown(by hash: StateHash) -> Int? { states[hash].flatMap { $0 < 0 ? nil : Int($0) } }

    /// The number of what has this digest.
    func number(ofDigest digest: StateHash) -> Int? { digests[digest].map(Int.init) }

    /// Says that the state showed what has this digest; true when nothing had shown it.
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

    /// Says that what has this number is judged at this line; false when that was the last line at which it was.
    func judge(_ number: Int, at line: Int) -> Bool {
        defer { lastJudged[number] = line }
        return lastJudged[number] != line
    }

    /// Nothing counts as judged any more.
    func forgetJudgements() throws(RecordingError) {
        for number in lastJudged.indices { (lastJudged[number], lastFailed[number]) = (-1, -1) }
        counted = try StateIndex()
    }

    /// Says that what has this number is wrong at this line: each state that shows it there is worth a look.
    func noteFailure(_ number: Int, at line: Int) { lastFailed[number] = line }

    /// Says that a state that is wrong at this line is counted there; false when that was the last line at which it was.
    func count(_ hash: StateHash, at line: Int) throws(RecordingError) -> Bool {
        guard let last = try counted.insert(hash, Int32(line)) else { return true }
        guard last != Int32(line) else { return false }
        try counted.set(hash, Int32(line))
        return true
    }

    /// Calls `body` with each state that was recovered, now or before.
    func forEachRecovered(_ body: (StateHash) throws -> Void) rethrows {
        try earlier?.forEachState { hash, _ in try body(hash) }
        try states.forEachState { hash, number in
            if number >= 0, !wasRecoveredEarlier(hash) { try body(hash) }
        }
    }
}

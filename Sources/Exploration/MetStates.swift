import Model

/// Which states were met, what they showed, by number, and at which line each thing that was shown was last judged.
///
/// Reading from several threads is safe while none writes.
final class MetStates: @unchecked Sendable {
    /// By hash: the number of what was shown. While it waits: −1 − the last line at which it does.
    private let states: StateIndex
    /// By the digest of what was shown: its number.
    private let digests: StateIndex
    /// For each number: the last line at which it was judged.
    private var lastJudged: [Int] = []

    /// Throws when the system has no memory for it; so do the changes.
    init() throws(RecordingError) {
        states = try StateIndex()
        digests = try StateIndex()
    }

    /// How many distinct states were met.
    var count: Int { states.count }

    /// Whether the state is new, or was not yet judged at this line.
    @inline(__always)
    func needsLook(_ hash: StateHash, at line: Int) -> Bool {
        guard let number = states[hash] else { return true }
        return number < 0 ? number != Self.waiting(at: line) : lastJudged[Int(number)] != line
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
        if number == nil { lastJudged.append(-1) }
        return number == nil
    }

    /// Says that what has this number is judged at this line; false when that was the last line at which it was.
    func judge(_ number: Int, at line: Int) -> Bool {
        defer { lastJudged[number] = line }
        return lastJudged[number] != line
    }

    /// Nothing counts as judged any more.
    func forgetJudgements() {
        for number in lastJudged.indices { lastJudged[number] = -1 }
    }

    /// Calls `body` with each state that was recovered.
    func forEachRecovered(_ body: (StateHash) throws -> Void) rethrows {
        try states.forEachState { hash, number in if number >= 0 { try body(hash) } }
    }
}

import Model

/// The search of one epoch at a level, in rounds, by families of states that one recovery decides. To be used by one thread
/// at a time.
final class EpochDecision: @unchecked Sendable {
    /// A state to be recovered for its family.
    struct Representative: Sendable {
        fileprivate var state: FamilySearch.Representative
        var hash: StateHash
        var survivors: Survivors
    }

    let epoch: Epoch
    /// The number of the epoch in the trace.
    let number: Int
    private var search: FamilySearch
    private var walker: StateWalker
    private let familiesAtMost: Int
    private(set) var familyCount = 0
    /// Representatives that nobody has recovered yet: what they do not decide is unknown.
    private var openCount = 0

    init(
        _ epoch: Epoch, number: Int, _ level: StateLevel, familiesAtMost: Int, payloads: any PayloadStore,
        hashes: NodeHashes
    ) throws {
        self.epoch = epoch
        self.number = number
        self.familiesAtMost = familiesAtMost
        search = FamilySearch(epoch.set, level)
        walker = try StateWalker(epoch.set, payloads: payloads, known: hashes)
    }

    var level: StateLevel { search.level }
    var atomCount: Int { search.atomCount }
    /// Whether no family is left, or too many.
    var isDone: Bool { openCount == 0 && (search.isDone || familyCount >= familiesAtMost) }
    /// Whether every state of the level is decided.
    var isExhausted: Bool { openCount == 0 && search.isDone && !search.isIncomplete }
    /// The level that is exhausted if this one is: all states may have it.
    var exhaustedLevel: StateLevel { search.hasAllStates ? .units : search.level }
    /// The number of states of the level, if it can be counted.
    func stateCount() -> StateCount? { search.stateCount() }

    /// Families for a round: enough for all threads, and few enough to keep a time budget.
    private static let roundCount = 64

    /// The next families.
    func round() throws -> [Representative] {
        var found: [Representative] = []
        while found.count < Self.roundCount, familyCount < familiesAtMost, let state = search.next() {
            familyCount += 1
            openCount += 1
            try walker.choose(members: state.members)
            found.append(
                Representative(state: state, hash: walker.hash, survivors: walker.chosenSurvivors()))
        }
        return found
    }

    func branch(
        _ representative: Representative, reading reads: [Int32], of table: ReadTable
    ) -> FamilySearch.Family {
        openCount -= 1
        return search.branch(representative.state, reading: reads, of: table)
    }

    /// A state of a family that is far from its representative.
    func sample(_ family: FamilySearch.Family, _ draws: inout RandomStream) throws -> (StateHash, Survivors) {
        try walker.choose(members: search.sample(family, &draws))
        return (walker.hash, walker.chosenSurvivors())
    }

    /// Calls `body` with the states of a family, at most `count`. False if there are more.
    func forEachState(
        of family: FamilySearch.Family, atMost count: Int, _ body: (StateHash, Survivors) throws -> Void
    ) throws -> Bool {
        try search.forEachState(of: family, atMost: count) { members in
            try walker.choose(members: members)
            try body(walker.hash, walker.chosenSurvivors())
        }
    }
}

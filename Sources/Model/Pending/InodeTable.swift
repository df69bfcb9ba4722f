/// The inodes of a pending set, each in a place of its own, so that what is known of one is read and changed where it
/// lies. (A dictionary's values are copied to be read: with their queues, for every event.)
///
/// A place is good until its inode is removed; it is then given to the next that comes. Value type.
struct InodeTable: Sendable {
    private var places: [InodeID: Int] = [:]
    private var states: [PendingSet.InodeState] = []
    private var vacant: [Int] = []

    /// Where an inode lies; nil when nothing can reach it.
    func place(of inode: InodeID) -> Int? { places[inode] }

    func contains(_ inode: InodeID) -> Bool { places[inode] != nil }

    /// In the order of no particular thing; the copy is independent of the table.
    var inodes: [InodeID] { Array(places.keys) }

    /// What is known of each inode.
    var values: some Sequence<PendingSet.InodeState> { places.values.lazy.map { states[$0] } }

    subscript(at place: Int) -> PendingSet.InodeState {
        _read { yield states[place] }
        _modify { yield &states[place] }
    }

    /// The place of an inode, which need not have been there.
    mutating func insert(_ inode: InodeID) -> Int {
        if let place = places[inode] { return place }
        let place = vacant.popLast() ?? states.count
        if place == states.count { states.append(PendingSet.InodeState()) }
        places[inode] = place
        return place
    }

    /// Takes an inode out, and returns what was known of it.
    mutating func remove(_ inode: InodeID) -> PendingSet.InodeState? {
        guard let place = places.removeValue(forKey: inode) else { return nil }
        vacant.append(place)
        var state = PendingSet.InodeState()
        swap(&state, &states[place])
        return state
    }
}

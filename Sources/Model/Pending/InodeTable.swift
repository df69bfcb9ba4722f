/// The inodes of a pending set, each at a fixed index, so that its state is read and changed in place. (Reading a
/// dictionary's value copies it, with its queues, for every event.)
///
/// An index is valid until its inode is removed; it is then reused. Value type.
struct InodeTable: Sendable {
    private var indices: [InodeID: Int] = [:]
    private var states: [PendingSet.InodeState] = []
    private var vacant: [Int] = []

    /// The index of an inode; nil if no name can reach it.
    func index(of inode: InodeID) -> Int? { indices[inode] }

    func contains(_ inode: InodeID) -> Bool { indices[inode] != nil }

    /// A copy, in no particular order.
    var inodes: [InodeID] { Array(indices.keys) }

    /// The state of each inode, in no particular order.
    var values: some Sequence<PendingSet.InodeState> { indices.values.lazy.map { states[$0] } }

    subscript(at index: Int) -> PendingSet.InodeState {
        _read { yield states[index] }
        _modify { yield &states[index] }
    }

    /// The index of an inode; adds the inode if it is not in the table.
    mutating func insert(_ inode: InodeID) -> Int {
        if let index = indices[inode] { return index }
        let index = vacant.popLast() ?? states.count
        if index == states.count { states.append(PendingSet.InodeState()) }
        indices[inode] = index
        return index
    }

    /// Removes an inode and returns its state.
    mutating func remove(_ inode: InodeID) -> PendingSet.InodeState? {
        guard let index = indices.removeValue(forKey: inode) else { return nil }
        vacant.append(index)
        var state = PendingSet.InodeState()
        swap(&state, &states[index])
        return state
    }
}

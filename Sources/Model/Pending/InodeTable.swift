/// The inodes of a pending set, each at a fixed index, so that its state is read and changed in place. (Reading a
/// dictionary's value copies it, with its queues, for every event.)
///
/// An index is valid until its inode is removed; it is then reused. Value type.
struct InodeTable: Sendable {
    private var indices: [InodeID: Int] = [:]
    /// In blocks: the first change to a copy of the table copies one block, not every state.
    private var blocks: [[PendingSet.InodeState]] = []
    private var stateCount = 0
    private var vacant: [Int] = []

    private static let blockSize = 128

    /// The index of an inode; nil if no name can reach it.
    func index(of inode: InodeID) -> Int? { indices[inode] }

    func contains(_ inode: InodeID) -> Bool { indices[inode] != nil }

    /// A copy, in no particular order.
    var inodes: [InodeID] { Array(indices.keys) }

    /// The state of each inode, in no particular order.
    var values: some Sequence<PendingSet.InodeState> { indices.values.lazy.map { self[at: $0] } }

    /// Calls `body` with each inode that has pending effects of its own. The states of the others are not copied.
    func forEachPending(_ body: (PendingSet.InodeState) -> Void) {
        for block in blocks {
            block.withUnsafeBufferPointer { states in
                guard let first = states.baseAddress else { return }
                for index in 0..<states.count where first[index].hasPending { body(first[index]) }
            }
        }
    }

    subscript(at index: Int) -> PendingSet.InodeState {
        _read { yield blocks[index / Self.blockSize][index % Self.blockSize] }
        _modify { yield &blocks[index / Self.blockSize][index % Self.blockSize] }
    }

    /// The index of an inode; adds the inode if it is not in the table.
    mutating func insert(_ inode: InodeID) -> Int {
        if let index = indices[inode] { return index }
        let index = vacant.popLast() ?? append()
        indices[inode] = index
        return index
    }

    private mutating func append() -> Int {
        if stateCount % Self.blockSize == 0 { blocks.append([]) }
        blocks[stateCount / Self.blockSize].append(PendingSet.InodeState())
        stateCount += 1
        return stateCount - 1
    }

    /// Removes an inode and returns its state.
    mutating func remove(_ inode: InodeID) -> PendingSet.InodeState? {
        guard let index = indices.removeValue(forKey: inode) else { return nil }
        vacant.append(index)
        var state = PendingSet.InodeState()
        swap(&state, &self[at: index])
        return state
    }
}

extension PendingSet.InodeState {
    fileprivate var hasPending: Bool { !data.isEmpty || !others.isEmpty || !failedFsync.isEmpty }
}

import Model

/// What `faultline bench explore` times of the exploration itself.
package enum ExplorationBenchmark {
    /// Derives, hashes and deduplicates `count` states of a file with so many pages pending that all of them are
    /// distinct. Returns how many distinct ones were kept.
    package static func deduplicate(_ count: Int) throws -> Int {
        let arena = PayloadArena()
        var set = PendingSet(profile: .ext4Ordered, unitBytes: 4096)
        var id: UInt64 = 0
        func add(_ change: Change) {
            id += 1
            set.add(.operation(Operation(id: OperationID(id), change)))
        }
        add(.create(InodeID(2), .regular, Attributes(mode: 0o644), at: DirectoryEntry(.root, "db")))
        add(.allocate(InodeID(2), offsetBytes: 0, countBytes: 40 * 4096, .extend))
        id += 1
        set.add(.barrierBegan(OperationID(id), .flush, process: 0))
        set.add(.barrierEnded(OperationID(id), errno: 0))
        for page in 0..<40 as Range<UInt64> {
            let bytes = [UInt8](repeating: UInt8(page) + 1, count: 4096)
            add(.write(InodeID(2), offsetBytes: page * 4096, data: arena.store(bytes)))
        }
        var walker = try StateWalker(set, payloads: arena)
        let index = try StateIndex()
        var block = StateBlock()
        var left = count
        while left > 0, try walker.take(min(left, EpochWalk.blockCount), into: &block) {
            index.prefetch(block.hashes)
            for hash in block.hashes { _ = try index.insert(hash, 0) }
            left -= block.hashes.count
        }
        return index.count
    }
}

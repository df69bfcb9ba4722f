/// What `faultline bench model` times. The model has no clock: the caller measures, and divides by what is returned.
public enum ModelBenchmark {
    /// Takes about `count` events of a store at work: a log of 128-byte records in preallocated segments, an fdatasync
    /// for every sixteen, a new segment and a rename for every 8192. Returns the number of events taken and of parts
    /// that were pending at most, which does not depend on `count`.
    public static func addEvents(_ count: Int, profile: Profile = .ext4Ordered) -> (events: Int, peakParts: Int) {
        var log = SyntheticLog(profile: profile)
        var peak = 0
        while log.set.eventCount < count {
            log.commit()
            peak = max(peak, log.set.pendingPartCount)
        }
        return (log.set.eventCount, peak)
    }

    /// Walks and hashes up to `count` crash states of a small store: three files, fifteen free pages of data, growth,
    /// and a replacing rename. Returns the number of states and the XOR of their hashes.
    public static func walkStates(_ count: Int, profile: Profile = .ext4Ordered) throws -> (states: Int, sum: StateHash)
    {
        let arena = PayloadArena()
        var set = PendingSet(profile: profile, unitBytes: 4096)
        var id: UInt64 = 0
        func add(_ change: Change) {
            id += 1
            set.add(.operation(Operation(id: OperationID(id), change)))
        }
        let attributes = Attributes(mode: 0o644)
        for (number, name) in ["db", "wal", "new"].enumerated() {
            add(.create(InodeID(UInt64(number) + 2), .regular, attributes, at: Entry(.root, .init(name))))
        }
        let page = arena.store([UInt8](repeating: 1, count: 8 * 4096))
        add(.write(InodeID(2), offsetBytes: 0, data: page))
        add(.write(InodeID(3), offsetBytes: 0, data: page))
        set.add(.barrierBegan(OperationID(id + 1), .flush, process: 0))
        set.add(.barrierEnded(OperationID(id + 1), errno: 0))
        id += 1
        for index in 0..<7 as Range<UInt64> {
            add(.write(InodeID(2), offsetBytes: index * 4096, data: arena.store([UInt8](repeating: 2, count: 4096))))
            add(.write(InodeID(3), offsetBytes: index * 4096, data: arena.store([UInt8](repeating: 3, count: 4096))))
        }
        add(.write(InodeID(4), offsetBytes: 0, data: page))
        add(.rename(from: Entry(.root, "new"), to: Entry(.root, "db"), .replace))
        var walker = try StateWalker(set, payloads: arena)
        var (states, sum) = (1, walker.hash)
        while states < count, try walker.next() {
            states += 1
            sum ^= walker.hash
        }
        return (states, sum)
    }
}

/// A log that rotates for ever.
private struct SyntheticLog {
    var set: PendingSet
    private var id: UInt64 = 0
    private var inode = InodeID(2)
    private var place: UInt64 = 0

    init(profile: Profile) {
        set = PendingSet(profile: profile)
        rotate()
    }

    mutating func commit() {
        if place + 16 * 128 > 8192 * 128 { rotate() }
        for _ in 0..<16 {
            let data = Payload(offsetBytes: id * 160, countBytes: 128)
            add(.write(inode, offsetBytes: place, data: data))
            place += 128
        }
        sync(.fdatasync(inode))
    }

    private mutating func rotate() {
        inode = InodeID(inode.rawValue + 1)
        place = 0
        add(.create(inode, .regular, Attributes(mode: 0o644), at: Entry(.root, "next")))
        add(.allocate(inode, offsetBytes: 0, countBytes: 8192 * 128, .extend))
        sync(.fsync(inode))
        add(.rename(from: Entry(.root, "next"), to: Entry(.root, "log"), .replace))
        sync(.fsync(.root))
    }

    private mutating func add(_ change: Change) {
        id += 1
        set.add(.operation(Operation(id: OperationID(id), change)))
    }

    private mutating func sync(_ barrier: Barrier) {
        id += 1
        set.add(.barrierBegan(OperationID(id), barrier, process: 1))
        set.add(.barrierEnded(OperationID(id), errno: 0))
    }
}

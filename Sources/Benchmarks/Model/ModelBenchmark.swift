import Model

/// The workloads of `faultline bench model`. The model has no clock: the caller measures, and divides by the returned count.
package enum ModelBenchmark {
    /// Reads about `count` events of a `SyntheticLog`. Returns the number of events and the highest number of pending
    /// effects, which does not depend on `count`.
    package static func addEvents(_ count: Int, profile: Profile = .ext4Ordered) -> (events: Int, peakParts: Int) {
        var log = SyntheticLog()
        var set = PendingSet(profile: profile)
        var peak = 0
        while set.eventCount < count {
            log.commit { event in
                if case .barrierBegan = event { peak = max(peak, set.pendingEffectCount) }
                set.add(event)
            }
        }
        return (set.eventCount, peak)
    }

    /// Overwrites `count` random pages of a large file without a barrier, so that all writes stay pending. Returns the
    /// number of pending effects.
    package static func addPending(_ count: Int, profile: Profile = .ext4Ordered) -> Int {
        var set = PendingSet(profile: profile, unitBytes: 4096)
        let file = InodeID(2)
        let pages: UInt64 = 1 << 20
        set.add(
            .operation(
                Operation(
                    id: OperationID(1), .create(file, .regular, Attributes(mode: 0o644), at: DirectoryEntry(.root, "f"))
                )))
        set.add(
            .operation(
                Operation(id: OperationID(2), .allocate(file, offsetBytes: 0, countBytes: pages * 4096, .extend))))
        set.add(.barrierBegan(OperationID(3), .flush, process: 1))
        set.add(.barrierEnded(OperationID(3), errno: 0))
        var random = RandomStream(seed: 1)
        for id in 0..<UInt64(count) {
            let data = Payload(offsetBytes: id * 4096, countBytes: 4096)
            let page = random.next(upperBound: pages)
            set.add(
                .operation(Operation(id: OperationID(4 + id), .write(file, offsetBytes: page * 4096, data: data))))
        }
        return set.pendingEffectCount
    }

    /// Other pending effects while files are synced.
    package enum Burden: String, CaseIterable, Sendable {
        case nothing = "nothing else"
        case failedSync = "a page for each, whose fsync failed"
        case inFlight = "an operation in flight"
    }

    /// Creates `count` files of a page each, then syncs each, with other effects pending. Returns the number of events.
    package static func syncFiles(_ count: Int, profile: Profile, beside burden: Burden) -> Int {
        var set = PendingSet(profile: profile)
        var id: UInt64 = 0
        func add(_ change: Change, isComplete: Bool = true) {
            id += 1
            set.add(.operation(Operation(id: OperationID(id), change, isComplete: isComplete)))
        }
        func sync(_ file: InodeID, errno: Int32 = 0) {
            id += 1
            set.add(.barrierBegan(OperationID(id), .fsync(file), process: 1))
            set.add(.barrierEnded(OperationID(id), errno: errno))
        }
        func create(_ file: InodeID) {
            add(.create(file, .regular, Attributes(mode: 0o644), at: DirectoryEntry(.root, .init("f\(file.rawValue)"))))
        }
        func write(_ file: InodeID, page: UInt64, isComplete: Bool = true) {
            let data = Payload(offsetBytes: id * 4096, countBytes: 4096)
            add(.write(file, offsetBytes: page * 4096, data: data), isComplete: isComplete)
        }
        let other = InodeID(2)
        create(other)
        switch burden {
        case .nothing: break
        case .failedSync:
            for page in 0..<UInt64(count) { write(other, page: page) }
            sync(other, errno: 5)
        case .inFlight: write(other, page: 0, isComplete: false)
        }
        let files = (0..<UInt64(count)).map { InodeID($0 + 3) }
        for file in files {
            create(file)
            write(file, page: 0)
        }
        for file in files { sync(file) }
        return set.eventCount
    }

    /// Walks and hashes up to `count` crash states of a small store: three files, fifteen unsynced pages of data, growth,
    /// and a replacing rename. Returns the number of states and the XOR of their hashes.
    package static func walkStates(_ count: Int, profile: Profile = .ext4Ordered) throws -> (
        states: Int, sum: StateHash
    ) {
        let arena = PayloadArena()
        var set = PendingSet(profile: profile, unitBytes: 4096)
        var id: UInt64 = 0
        func add(_ change: Change) {
            id += 1
            set.add(.operation(Operation(id: OperationID(id), change)))
        }
        let attributes = Attributes(mode: 0o644)
        for (number, name) in ["db", "wal", "new"].enumerated() {
            add(.create(InodeID(UInt64(number) + 2), .regular, attributes, at: DirectoryEntry(.root, .init(name))))
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
        add(.rename(from: DirectoryEntry(.root, "new"), to: DirectoryEntry(.root, "db"), .replace))
        var walker = try StateWalker(set, payloads: arena)
        var (states, sum) = (1, walker.hash)
        while states < count, try walker.next() {
            states += 1
            sum ^= walker.hash
        }
        return (states, sum)
    }
}

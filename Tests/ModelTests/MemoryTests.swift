import Litmus
import Model
import Testing

struct MemoryTests {
    /// A store that works for ever, with a barrier now and then, costs what is pending and what exists.
    @Test(arguments: Profile.allCases) func `memory does not grow with the length of the trace`(_ profile: Profile) {
        var store = BusyStore(profile: profile)
        for _ in 0..<300 { store.round() }
        let early = store.set.heldCount
        for _ in 0..<1500 { store.round() }
        #expect(store.set.heldCount <= early + early / 4, "\(early) things, then \(store.set.heldCount)")
        #expect(store.set.eventCount > 30000)
    }

    /// Extents stay extents: a write of a mebibyte is a few things, however many units and size steps it has.
    @Test(arguments: Profile.allCases) func `memory for 1 GiB of sequential writes is in proportion to the operations`(
        _ profile: Profile
    ) {
        var set = PendingSet(profile: profile)
        let file = InodeID(2)
        func add(_ id: UInt64, _ change: Change) { set.add(.operation(Operation(id: OperationID(id), change))) }
        add(1, .create(file, .regular, Attributes(mode: 0o644), at: DirectoryEntry(.root, "f")))
        for index in 0..<1024 as Range<UInt64> {
            let data = Payload(offsetBytes: index << 20, countBytes: 1 << 20)
            add(index + 2, .write(file, offsetBytes: index << 20, data: data))
        }
        #expect(set.heldCount <= 4 * 1025, "\(set.heldCount) things for 1,025 operations")
        set.add(.barrierBegan(OperationID(2000), .fsync(file), process: 1))
        set.add(.barrierEnded(OperationID(2000), errno: 0))
        #expect(set.heldCount <= 2 * 1025, "\(set.heldCount) things when all of it is durable")
    }
}

/// Writes, truncates, replaces, deletes and forgets files and directories, and syncs.
private struct BusyStore {
    var set: PendingSet
    private var id: UInt64 = 0
    private var next: UInt64 = 10
    private let log = InodeID(2)

    init(profile: Profile) {
        set = PendingSet(profile: profile)
        add(.create(log, .regular, Attributes(mode: 0o644), at: DirectoryEntry(.root, "log")))
        sync(.flush)
    }

    mutating func round() {
        let (file, folder) = (InodeID(next), InodeID(next + 1))
        next += 2
        let attributes = Attributes(mode: 0o644)
        add(.create(folder, .directory, attributes, at: DirectoryEntry(.root, "d")))
        add(.create(file, .regular, attributes, at: DirectoryEntry(folder, "t")))
        for offset in 0..<4 as Range<UInt64> { write(file, offset * 300, 700) }
        add(.setExtendedAttribute(file, name: "user.a", value: "1"))
        sync(.fsync(file))
        add(.rename(from: DirectoryEntry(folder, "t"), to: DirectoryEntry(.root, "f"), .replace))
        write(log, 0, 512)
        add(.truncate(log, sizeBytes: 100))
        write(log, 100, 4096)
        sync(.fdatasync(log))
        write(log, 512, 512, isComplete: false)
        add(.unlink(DirectoryEntry(.root, "d")))
        sync(.fsync(log))
        set.add(.completed(OperationID(id - 2)))
        sync(.fsync(folder))
        sync(.fsync(.root))
        sync(.fsync(log), errno: next % 64 == 0 ? 5 : 0)
        add(.setAttributes(file, Attributes(mode: UInt32(next % 512))))
        if next % 5 == 0 { add(.unlink(DirectoryEntry(.root, "f"))) }
        write(file, 0, 100)
        sync(.fsync(file))
    }

    private mutating func write(_ inode: InodeID, _ offset: UInt64, _ count: UInt64, isComplete: Bool = true) {
        id += 1
        let data = Payload(offsetBytes: id * 8192, countBytes: count)
        set.add(
            .operation(
                Operation(
                    id: OperationID(id), .write(inode, offsetBytes: offset, data: data), isComplete: isComplete)))
    }

    private mutating func add(_ change: Change) {
        id += 1
        set.add(.operation(Operation(id: OperationID(id), change)))
    }

    private mutating func sync(_ barrier: Barrier, errno: Int32 = 0) {
        id += 1
        set.add(.barrierBegan(OperationID(id), barrier, process: 1))
        set.add(.barrierEnded(OperationID(id), errno: errno))
    }
}

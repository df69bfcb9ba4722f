import Bytes
import Foundation
import Model
import Platform
import Storage
import Testing

@testable import Engine
@testable import Events

/// Every planted bug is found by a workload under some profile, and the same workload without the bug has no finding.
@Suite struct PlantedBugTests {
    enum Workload: CaseIterable {
        case mixed, batching, compacting, failingSync, fillingTheGap

        func run(_ bug: PlantedBug?) throws -> RecordedRun {
            switch self {
            case .mixed: try .mixed(bug)
            case .batching: try .batching(bug)
            case .compacting: try .compacting(bug)
            case .failingSync: try .failingSync(bug)
            case .fillingTheGap: try .fillingTheGap(bug)
            }
        }
    }

    /// Where a bug shows.
    enum Place {
        /// After crashes of this workload; the strongest profile under which it does.
        case crash(Workload, Profile)
        /// The same for the event view.
        case eventCrash(Profile)
        /// Among threads, which no trace orders: the schedules of `Interleavings` find it, and for some a test below.
        case threads
        /// When storage changes what it holds: a test of its own, below.
        case damage
        /// After a recovery that is crashed, or written after: exploring does that, and its tests with every row of the table.
        case afterRecovery
        /// In what the process uses: a soak finds it.
        case usage
    }

    static func place(of bug: PlantedBug) -> Place {
        switch bug {
        case .ackBeforeSync, .neverSync: .crash(.mixed, .strict)
        case .directoryUnsynced: .crash(.mixed, .posixMin)
        case .rotationUnsynced: .crash(.mixed, .ext4Ordered)
        case .poisonIgnored, .tailTrusted: .crash(.failingSync, .ext4Ordered)
        case .tailUncut: .crash(.fillingTheGap, .kill)
        case .checksumUnchecked: .crash(.mixed, .ext4Ordered)
        case .deleteUnlogged, .batchSplit: .crash(.mixed, .kill)
        case .compactionDropsNewest: .crash(.compacting, .kill)
        case .compactionUnsynced: .crash(.compacting, .ext4Ordered)
        case .duplicateHashWeak, .windowForgotten, .windowTruncated, .checkpointAhead, .truncationTooFar,
            .replayInclusive:
            .eventCrash(.kill)
        case .checkpointUnsynced: .eventCrash(.strict)
        case .segmentRecycled: .crash(.compacting, .kill)
        case .batchUncommitted: .crash(.batching, .ext4Ordered)
        case .lastRecordDropped: .crash(.mixed, .kill)
        case .truncationNewestFirst: .crash(.compacting, .kill)
        case .deleteUnsynced: .crash(.mixed, .strict)
        case .duplicateEarly, .followerEarly, .wakeupLost, .numberDoubled: .threads
        case .readUnchecked: .damage
        case .tailRewritten, .numberReused: .afterRecovery
        case .descriptorLeaked, .memoryLeaked: .usage
        }
    }

    @Test(arguments: PlantedBug.allCases) func `each planted bug is found`(_ bug: PlantedBug) throws {
        var recovered = 0
        switch Self.place(of: bug) {
        case .crash(let workload, let profile):
            let run = try workload.run(bug)
            let findings = try run.explore(profile, seeds: 0..<6, planting: bug, recovered: &recovered)
            #expect(!findings.isEmpty)
        case .eventCrash(let profile):
            let findings = try EventRun.mixed(bug).explore(profile, seeds: 0..<4, recovered: &recovered)
            #expect(!findings.isEmpty)
        case .threads, .damage, .afterRecovery, .usage: break
        }
    }

    /// A duplicate that arrives while its original is being synced is acknowledged before the original is durable.
    @Test func `duplicate-early is found`() throws {
        let held = HeldSync(fails: true)
        var options = eager
        options.batchCount = 1
        let store = try EventStore.open(
            storage: InterposedStorage(MemoryStorage(), held), options: options, clock: TestClock(),
            planting: .duplicateEarly)
        held.isArmed.withLock { $0 = true }
        try inParallel(2) { thread in
            guard thread == 1 else {
                _ = try? store.append(event(1))
                return
            }
            held.waitUntilHeld()
            defer { held.release() }
            let sequence = try store.append(event(1))
            #expect(sequence == 0)
        }
    }

    /// A thread that comes while another syncs returns with that one's sync, which does not cover its record.
    @Test func `follower-early is found`() throws {
        let held = HeldSync(fails: false)
        let log = try LogCore<SystemCoordination, SkippedStep>(
            storage: InterposedStorage(MemoryStorage(), held), options: LogOptions(),
            recovered: RecoveredLog(shard: 0), hooks: PlantedBug.followerEarly.hooks)
        held.isArmed.withLock { $0 = true }
        let isFollowing = Guarded(false)
        try inParallel(3) { thread in
            switch thread {
            case 0: try log.sync(through: log.append(.put, "a", []).lsn)
            case 1:
                held.waitUntilHeld()
                let place = try log.append(.put, "b", [])
                isFollowing.withLock { $0 = true }
                try log.sync(through: place.lsn)
                #expect(log.durableLSN < place.lsn)
            default:
                while !isFollowing.withLock({ $0 }) { usleepMilliseconds(1) }
                // It waits a moment later; what comes too late is a sync of its own and would not show the bug.
                usleepMilliseconds(50)
                held.release()
            }
        }
    }

    /// One of the threads that wait for the next sync is woken to lead it. If it leaves instead, the others must not hang.
    @Test func `a thread that leaves early strands no other`() throws {
        let held = HeldSync(fails: false)
        let log = try LogCore<SystemCoordination, SkippedStep>(
            storage: InterposedStorage(MemoryStorage(), held), options: LogOptions(),
            recovered: RecoveredLog(shard: 0), hooks: PlantedBug.followerEarly.hooks)
        held.isArmed.withLock { $0 = true }
        let (following, returned) = (Guarded(0), Guarded(0))
        let followerCount = 4
        for thread in 0...followerCount {
            Thread.detachNewThread {
                if thread > 0 { held.waitUntilHeld() }
                let place = try? log.append(.put, "a", [UInt8(thread)])
                if thread > 0 { following.withLock { $0 += 1 } }
                if let place { try? log.sync(through: place.lsn) }
                returned.withLock { $0 += 1 }
            }
        }
        while following.withLock({ $0 }) < followerCount { usleepMilliseconds(1) }
        usleepMilliseconds(50)
        held.release()
        for _ in 0..<10_000 where returned.withLock({ $0 }) <= followerCount { usleepMilliseconds(1) }
        #expect(returned.withLock { $0 } == followerCount + 1)
    }

    @Test(arguments: [PlantedBug.readUnchecked, nil]) func `read-unchecked is found`(_ bug: PlantedBug?) throws {
        let memory = MemoryStorage()
        let store = try open(memory, small, bug)
        try store.put("a", [1, 2, 3])
        try store.sync()
        let place = UInt64(SegmentHeader.sizeBytes + Frame.headerSizeBytes + 2)
        try memory.open("0000-0000000001.log").write([9], at: place)
        #expect((try? store.get("a")) == (bug == nil ? nil : [1, 9, 3]))
    }

    @Test(arguments: Workload.allCases, Profile.allCases)
    func `the correct engine has no finding`(_ workload: Workload, _ profile: Profile) throws {
        var recovered = 0
        let findings = try workload.run(nil).explore(profile, seeds: 0..<4, recovered: &recovered)
        #expect(findings.isEmpty, "\(findings.prefix(3))")
    }

    @Test func `names are distinct and every summary is one line`() {
        #expect(Set(PlantedBug.allCases.map(\.name)).count == PlantedBug.allCases.count)
        for bug in PlantedBug.allCases {
            #expect(PlantedBug(rawValue: bug.name) == bug)
            #expect(!bug.summary.isEmpty && !bug.summary.contains("\n"))
        }
    }
}

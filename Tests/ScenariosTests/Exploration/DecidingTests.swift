import Bytes
import Exploration
import Foundation
import Model
import Oracle
import Storage
import Synchronization
import Testing

/// Deciding states by what recoveries read finds what recovering every state finds, or notices that it cannot.
struct DecidingTests {
    private static let deciding: ExplorationLimits = {
        var limits = ExplorationLimits()
        limits.decides = true
        return limits
    }()

    /// Random runs of a store, and random recoveries that read some of its files, choose by what they see, and write. With
    /// more seeds than usual if FAULTLINE_SEEDS says how many.
    @Test(arguments: 0..<4)
    func `deciding and running every state find the same`(_ part: UInt64) throws {
        let seeds = ProcessInfo.processInfo.environment["FAULTLINE_SEEDS"].flatMap(UInt64.init) ?? 4
        var (compared, families, states) = (0, 0, 0)
        for seed in stride(from: part, to: seeds, by: 4) {
            let store = try RandomStore(seed: seed)
            for profile in Profile.filesystems {
                let (deciding, running) = try (
                    store.explore(profile, decides: true), store.explore(profile, decides: false)
                )
                let place = "seed \(seed), \(profile.rawValue)"
                #expect(deciding.coverage.decidingObstacle == nil, "\(place)")
                // A larger epoch is searched.
                guard running.coverage.isExhaustive else { continue }
                compared += 1
                #expect(deciding.coverage.isExhaustive, "\(place)")
                #expect(deciding.counts.failing == running.counts.failing, "\(place)")
                // How failing states are grouped depends on the order in which they are met.
                let (found, wanted) = (deciding.allCauses, running.allCauses)
                #expect(Set(found.map(\.cause.check)) == Set(wanted.map(\.cause.check)), "\(place)")
                families += deciding.coverage.families
                states += running.counts.checked
                #expect(deciding.counts.checked <= running.counts.checked, "\(place)")
            }
        }
        #expect(compared > 2 && families > 0 && states > 0)
    }

    /// A write of 60 units of which recovery reads two, and a log that ends at its first bad record.
    @Test func `an epoch with 2^60 states is decided by a few recoveries`() throws {
        let put = OracleOperation.put(1, "k", [1])
        let store = try ScriptedStore { storage, say in
            let file = try storage.create("data")
            try storage.syncDirectory()
            say(.begin(put))
            try file.write([UInt8](repeating: 7, count: 60 * 512), at: 0)
        }
        let explorer = try store.explorer(
            .ext4Ordered, limits: Self.deciding,
            noting: { storage, _ in
                guard let file = try? storage.open("data") else { return .opened(Observation()) }
                guard try file.length() >= 60 * 512 else { return .opened(Observation()) }
                let ends = try file.read(countBytes: 1, at: 0) + file.read(countBytes: 1, at: 59 * 512)
                return .opened(ends == [7, 7] ? Observation(["k": [1]]) : Observation())
            })
        try explorer.runToItsEnd()
        #expect(explorer.coverage.isExhaustive)
        #expect(explorer.counts.checked < 100)
        #expect(explorer.coverage.decidedStates > StateCount("1152921504606846976")!)
        #expect(explorer.counts.failing == 0 && explorer.coverage.sampledStates > 0)
    }

    /// One epoch with a write of six units, all of which recovery reads.
    private static func sixUnits() throws -> ScriptedStore {
        let put = OracleOperation.put(1, "k", [1])
        return try ScriptedStore { storage, say in
            let file = try storage.create("data")
            try file.write([UInt8](repeating: 6, count: 6 * 512), at: 0)
            try file.sync()
            try storage.syncDirectory()
            say(.begin(put))
            try file.write([UInt8](repeating: 7, count: 6 * 512), at: 0)
        }
    }

    private static func reads(_ storage: any Storage) throws -> [UInt8] {
        guard let file = try? storage.open("data"), try file.length() > 0 else { return [] }
        return try (0..<6).flatMap { try file.read(countBytes: 1, at: UInt64($0) * 512) }
    }

    /// However early it is stopped, an epoch counts as exhausted only if all of its states were recovered.
    @Test func `a stopped exploration claims no state that nobody recovered`() throws {
        let store = try Self.sixUnits()
        var exhausted: [Int] = []
        for stop in stride(from: 1, through: 99, by: 7) {
            let calls = Calls()
            let isOver: @Sendable () -> Bool = { calls.number >= stop }
            let explorer = try store.explorer(
                .posixMin, limits: Self.deciding, isOver: isOver,
                noting: { storage, _ in
                    _ = calls.add(1)
                    return try .opened(Observation(["k": Self.reads(storage)]))
                })
            try explorer.run(shouldStop: { isOver() ? .budget : nil }, progress: { _ in })
            exhausted.append(explorer.coverage.exhaustedEpochs)
            // Each recovery calls twice; the epoch of the write has 64 states.
            if explorer.coverage.exhaustedEpochs == explorer.coverage.epochs { #expect(explorer.counts.checked >= 64) }
        }
        #expect(Set(exhausted).count > 1)
    }

    /// A recovery that hangs is killed, and one in a sandbox is not seen: what they read is unknown.
    @Test(arguments: [true, false])
    func `a recovery of which it is not known what it reads decides one state`(tells: Bool) throws {
        let store = try Self.sixUnits()
        func explore(_ limits: ExplorationLimits) throws -> Explorer {
            var limits = limits
            limits.hangsAtMost = 1000
            let explorer = try store.explorer(
                .posixMin, limits: limits, tells: tells,
                noting: { storage, _ in
                    // It reads one unit and hangs, or goes on by what it reads next.
                    guard let file = try? storage.open("data"), try file.length() > 0 else {
                        return .opened(Observation())
                    }
                    let first = try file.read(countBytes: 1, at: 0)
                    if tells, first == [7] { return .hung(afterSeconds: 1) }
                    return try .opened(Observation(["k": Self.reads(storage)]))
                })
            try explorer.runToItsEnd()
            return explorer
        }
        let (deciding, running) = try (explore(Self.deciding), explore(ExplorationLimits()))
        #expect(running.counts.failing > 30)
        #expect(deciding.coverage.decidingObstacle == nil)
        #expect(deciding.coverage.isExhaustive && running.coverage.isExhaustive)
        #expect(deciding.counts.failing == running.counts.failing)
        #expect(deciding.counts.hung == running.counts.hung)
        #expect(Set(deciding.allCauses.map(\.cause.check)) == Set(running.allCauses.map(\.cause.check)))
    }

    enum Deceit: CaseIterable { case clock, hiddenRead }

    /// The recovery's answer depends on how often it ran, or on bytes that it reads past the recorder.
    @Test(arguments: Deceit.allCases)
    func `a recovery that depends on more than its reads is not believed`(_ deceit: Deceit) throws {
        let store = try ScriptedStore { storage, say in
            let file = try storage.create("data")
            let other = try storage.create("other")
            try other.write([1], at: 0)
            try storage.syncDirectory()
            for number in 1...8 as ClosedRange<UInt64> {
                say(.begin(.put(number, "k", [1])))
                try file.write([UInt8](repeating: UInt8(number), count: 6 * 512), at: 0)
                try file.sync()
                say(.acknowledged(.put(number, "k", [1])))
            }
        }
        let calls = Calls()
        let explorer = try store.explorer(
            .posixMin, limits: Self.deciding,
            noting: { storage, unnoted in
                guard let other = try? storage.open("other") else { return .opened(Observation()) }
                var shown = try [UInt8(other.length())]
                switch deceit {
                case .clock: shown.append(UInt8(calls.add(1) / 4 % 2))
                case .hiddenRead: shown += try (try? unnoted.open("data"))?.read(countBytes: 1, at: 0) ?? []
                }
                return .opened(Observation(["k": shown]))
            })
        try explorer.runToItsEnd()
        #expect(explorer.coverage.decidingObstacle != nil)
        // It goes on as without deciding.
        #expect(explorer.coverage.isExhaustive && explorer.counts.failing > 0)
    }
}

private final class Calls: Sendable {
    private let count = Atomic<Int>(0)
    func add(_ more: Int) -> Int { count.add(more, ordering: .relaxed).newValue }
    var number: Int { count.load(ordering: .relaxed) }
}

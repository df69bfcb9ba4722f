import Bytes
import Exploration
import Model
import Oracle
import Report
import Storage
import Synchronization
import Testing

/// Which failures are told together, and that none hides another.
struct CauseTests {
    /// What a run of `store` fails for, in groups as they are told; and nothing that fails is left out.
    private func findings(
        of store: ScriptedStore, _ profile: Profile = .posixMin, limits: ExplorationLimits = ExplorationLimits(),
        showing shows: @escaping @Sendable (ScriptedStore.Files, ScriptedStore.Look) -> Recovery
    ) throws -> (explorer: Explorer, groups: [CauseGroup]) {
        let explorer = try store.explorer(profile, limits: limits, showing: shows)
        try explorer.runToItsEnd()
        let collector = explorer.collector
        let told = collector.causes.reduce(0) { $0 + $1.stateCount }
        let counted = told + collector.unexplained.values.reduce(0, +) + collector.unconfirmedCount
        #expect(counted == explorer.counts.failing, "each failing state is counted once")
        return (explorer, CauseGroup.groups(of: collector.causes))
    }

    private static func put(_ number: UInt64) -> OracleOperation { .put(number, "k", [UInt8(number)]) }

    /// One file that is created empty and then rewritten in place: 1500 equal bytes.
    private func rewritten(_ name: ByteString, atomicCreation: Bool) throws -> ScriptedStore {
        try ScriptedStore { storage, say in
            let file = try storage.create(atomicCreation ? "new" : name)
            try file.write([UInt8](repeating: 9, count: 1500), at: 0)
            try file.sync()
            if atomicCreation { try storage.rename("new", to: name) }
            try storage.syncDirectory()
            for number in 1...3 as ClosedRange<UInt64> {
                say(.begin(Self.put(number)))
                try file.write([UInt8](repeating: UInt8(number), count: 1500), at: 0)
                try file.sync()
                say(.acknowledged(Self.put(number)))
            }
        }
    }

    private static func shows(_ file: [UInt8]?, _ empty: String, _ torn: String) -> Recovery {
        guard let file else { return .opened(Observation()) }
        guard let first = file.first else { return .failed(reason: empty) }
        guard file.count == 1500, file.allSatisfy({ $0 == first }) else { return .failed(reason: torn) }
        return .opened(first == 9 ? Observation() : Observation(["k": [first]]))
    }

    @Test(arguments: [("it is empty", "bad checksum at 512"), ("corrupt", "corrupt")])
    func `a creation that is not atomic hides nothing that comes later`(empty: String, torn: String) throws {
        let name: ByteString = "a,b.db"
        let (explorer, groups) = try findings(of: rewritten(name, atomicCreation: false)) { files, _ in
            Self.shows(files[name], empty, torn)
        }
        #expect(groups.map(\.shown.cause.check) == [.opens, .opens])
        let creation = try #require(groups.first { $0.shown.cause.hasAcknowledged == false })
        #expect(creation.shown.cause.losses.isEmpty && creation.shown.state.profile == .kill)
        let rewrite = try #require(groups.first { $0.shown.cause.hasAcknowledged == true })
        #expect(rewrite.shown.cause.losses.map(\.description) == ["write a,b.db"])
        let story = try English().story(of: rewrite.shown.failingState(in: explorer.recording))
        #expect(story.timeline.contains { $0.fate == .torn && $0.what.hasPrefix("write a,b.db, bytes") })
        #expect(groups[0].stateCount >= groups[1].stateCount)
    }

    @Test func `with an atomic creation the torn rewrite is left`() throws {
        let (_, groups) = try findings(of: rewritten("db", atomicCreation: true)) { files, _ in
            Self.shows(files["db"], "empty", "checksum")
        }
        #expect(groups.map(\.shown.cause.losses) == [[LossPattern(.write, TextPattern(of: "db"))]])
        #expect(groups.first?.shown.cause.error == TextPattern(of: "checksum"))
    }

    @Test func `a state that hangs is a finding, and the others are found all the same`() throws {
        let (explorer, groups) = try findings(of: rewritten("db", atomicCreation: true)) { files, _ in
            let sectors = files["db"].map { file in stride(from: 0, to: file.count, by: 512).map { file[$0] } }
            return sectors == [2, 1, 2] ? .hung(afterSeconds: 1) : Self.shows(files["db"], "empty", "checksum")
        }
        #expect(explorer.coverage.isComplete && explorer.coverage.stopped == nil, "\(explorer.coverage)")
        #expect(Set(groups.map(\.shown.violation.error)) == ["hangs in recovery: no end within 1 s", "checksum"])
    }

    @Test func `too many states that hang end the exploration, and it is said`() throws {
        var limits = ExplorationLimits()
        limits.hangsAtMost = 3
        let hangs = Mutex(0)
        let (explorer, groups) = try findings(of: rewritten("db", atomicCreation: true), limits: limits) {
            files, look in
            let shown = Self.shows(files["db"], "empty", "checksum")
            guard case .failed = shown else { return shown }
            if !look.inFreshProcess { hangs.withLock { $0 += 1 } }
            return .hung(afterSeconds: 1)
        }
        #expect(hangs.withLock { $0 } == 3)
        #expect(explorer.coverage.stopped == .hangs(3), "\(explorer.coverage)")
        #expect(!explorer.canBeResumed && groups.count == 1)
    }

    @Test func `a hang that does not show again is kept with what showed then, and ends nothing`() throws {
        let hasHung = Mutex(false)
        let (explorer, groups) = try findings(of: rewritten("db", atomicCreation: true)) { files, _ in
            let shown = Self.shows(files["db"], "empty", "checksum")
            guard case .failed = shown, hasHung.withLock({ $0.flip() }) else { return shown }
            return .hung(afterSeconds: 1)
        }
        #expect(explorer.coverage.isComplete && explorer.coverage.stopped == nil, "\(explorer.coverage)")
        let contradiction = try #require(explorer.contradictions.first)
        #expect(contradiction.kind == .alone && contradiction.first.recovery.isHung)
        #expect(contradiction.second.recovery == .failed(reason: "checksum"))
        #expect(groups.map(\.shown.cause.error) == [TextPattern(of: "checksum")])
    }

    /// Three defects of a store at work: two files that must agree are written one after the other, a renamed file is not
    /// synced, and a tail is not checked. The third file grows in one write of three sectors.
    private func threefold() throws -> ScriptedStore {
        try ScriptedStore { storage, say in
            let files = try ["left part", "right,part", "log"].map { try storage.create(ByteString($0)) }
            for file in files.prefix(2) { try file.write([0], at: 0) }
            for name in ["new\n1", "current"] as [ByteString] {
                let file = try storage.create(name)
                try file.write([name == "current" ? 1 : 2], at: 0)
                try file.sync()
            }
            for file in files { try file.sync() }
            try storage.syncDirectory()
            say(.begin(Self.put(1)))
            say(.acknowledged(Self.put(1)))
            for file in files.prefix(2) {
                try file.write([1], at: 0)
                try file.sync()
            }
            try storage.rename("new\n1", to: "current")
            try files[2].write([7], at: 0)
            try files[2].sync()
            try files[2].write([UInt8](repeating: 7, count: 1500), at: 1)
            try files[2].sync()
        }
    }

    @Test func `three defects that break one check with the same words are three findings`() throws {
        let store = try threefold()
        let (explorer, groups) = try findings(of: store) { files, _ in
            guard let log = files["log"], let left = files["left part"], let right = files["right,part"] else {
                return .opened(Observation())
            }
            let isTorn = log.contains { $0 != 7 } || ![0, 1, 1501].contains(log.count)
            let isOld = !log.isEmpty && files["current"] != [2]
            let isApart = left != right && !left.isEmpty && !right.isEmpty
            if isTorn || isOld || isApart { return .failed(reason: "corrupt") }
            return .opened(Observation(["k": [1]]))
        }
        let losses = groups.filter { $0.shown.cause.hasAcknowledged == true }.map {
            $0.shown.cause.losses.map(\.description)
        }
        #expect(losses.contains([]), "killed between the two files")
        #expect(losses.contains(["write log"]), "the tail")
        #expect(losses.contains { $0.contains("name current") || $0.contains("removal of the name new\\x0a#") })
        #expect(
            groups.allSatisfy { $0.shown.cause.check == .opens && $0.shown.cause.error == TextPattern(of: "corrupt") })
        let renamed = try #require(groups.first { $0.shown.losses.descriptions.contains { $0.contains("new\\x0a1") } })
        let story = try English().story(of: renamed.shown.failingState(in: explorer.recording))
        #expect(story.timeline.contains { $0.fate == .lost || $0.fate == .torn })
    }

    @Test func `what one state shows more than once is told once, with each of its errors`() throws {
        // Which of eight sectors are there is a word of its own.
        let store = try ScriptedStore { storage, say in
            let file = try storage.create("new")
            try file.write([UInt8](repeating: 1, count: 4096), at: 0)
            try file.sync()
            try storage.rename("new", to: "db")
            try storage.syncDirectory()
            say(.begin(Self.put(1)))
            say(.acknowledged(Self.put(1)))
            try file.write([UInt8](repeating: 2, count: 4096), at: 0)
            try file.sync()
        }
        let (explorer, groups) = try findings(of: store) { files, _ in
            guard let file = files["db"], file.count == 4096 else { return .opened(Observation(["k": [1]])) }
            let sectors = (0..<8).map { file[512 * $0] }
            if Set(sectors).count == 1 { return .opened(Observation(["k": [1]])) }
            let letters = sectors.enumerated().map { $1 == 1 ? "a" : ["e", "i", "o", "u"][$0 % 4] }
            return .failed(reason: "sectors \(letters.joined(separator: " "))")
        }
        // 254 mixtures, of which two hundred are made smaller.
        #expect(explorer.counts.failing == 254)
        #expect(groups.count == 1)
        let group = try #require(groups.first)
        #expect(group.members.count > 100)
        let unexplained = explorer.collector.unexplained.filter { $0.key.symptom.check == .opens }.values.reduce(0, +)
        #expect(unexplained > 0 && group.stateCount + unexplained == 254)
    }
}

extension Bool {
    /// True the first time.
    fileprivate mutating func flip() -> Bool {
        defer { self = true }
        return !self
    }
}

import Bytes
import Exploration
import Machine
import Model
import Oracle
import Runs
import Scenarios

/// The facts of a finding, read from its case: the operations of the store, when they became durable, and the files of
/// each crash state.
///
/// Self-contained: it does not need the case or its trace afterwards. It runs no program of the case. It is bounded:
/// the last events of a long run, the files that differ, and the first bytes of long ranges.
package struct FindingFacts: Sendable {
    package let record: CaseRecord
    /// The tree that running programs saw before the first of `events`.
    package private(set) var before: Tree
    /// The number of events before the first of `events`.
    package let skippedEvents: Int
    /// The last events before the crash.
    package let events: [TraceEvent]
    /// The text of the oracle lines in `events`, by the crash point right after each.
    package private(set) var oracleLines: [Int: [UInt8]] = [:]
    /// The number of oracle lines before the first of `events`.
    package private(set) var linesBefore: Int
    /// The operations that each barrier made durable, by the crash point right after its return.
    package private(set) var madeDurable: [Int: [OperationID]] = [:]
    /// Operations whose sync failed and that later operations superseded: no sync made them durable.
    package private(set) var replaced: Set<OperationID> = []
    /// The unsynced changes at the crash point, by operation.
    package private(set) var unsynced: [OperationID: [Loss]] = [:]
    /// The finding's state first, then its neighbours.
    package private(set) var states: [StateFacts] = []

    package var crashPoint: Int { skippedEvents + events.count }

    /// The limit of `events`; a longer run keeps its last events.
    package static let eventsAtMost = 1000

    /// Reads the case in `directory`; nil if the case is not a crash of a recorded run.
    package static func read(_ directory: ByteString) throws -> FindingFacts? {
        let record = try CaseRecord(directory: directory)
        guard record.hasTrace, record.live == nil, record.unstable == nil else { return nil }
        let recording = try record.recording(in: directory, MemoryGuard(.standard(spillingNear: directory)))
        var lineCount = 0
        let oracle = directory.appending(component: CaseRecord.oracleName)
        try RunFiles.refuseLink(oracle)
        try RunFiles.forEachLine(of: oracle, followingLinks: false) { _ in lineCount += 1 }
        return try FindingFacts(record, recording, lineCount: lineCount)
    }

    /// - Parameter lineCount: the number of oracle lines before the crash, in all lives of the store.
    package init(_ record: CaseRecord, _ recording: Recording, lineCount: Int) throws {
        guard record.crashPoint <= recording.events.count else {
            throw RecordingError.crashPointBeyondTrace(record.crashPoint, eventCount: recording.events.count)
        }
        self.record = record
        skippedEvents = max(0, record.crashPoint - Self.eventsAtMost)
        events = Array(recording.events[skippedEvents..<record.crashPoint])
        before = recording.base
        linesBefore = lineCount
        let profile = Self.losesNothing(record) ? .ext4Ordered : record.profile
        var set = PendingSet(profile: profile, base: recording.base, unitBytes: recording.sectorBytes)
        for event in recording.events[..<skippedEvents] { set.add(event) }
        if skippedEvents > 0 { before = set.tree(set.survivors(.everything)) }
        try follow(recording, &set)
        try addStates(recording, set)
    }

    /// Without a crash, and after a kill, all profiles give the same state. Then a profile that loses something shows what
    /// the syncs made durable.
    private static func losesNothing(_ record: CaseRecord) -> Bool { record.look != nil || record.profile == .kill }

    /// Collects oracle lines and durable operations from `events`.
    private mutating func follow(_ recording: Recording, _ set: inout PendingSet) throws {
        for (index, event) in events.enumerated() {
            switch event {
            case .barrierEnded(_, errno: 0):
                let pending = Self.unsynced(set)
                set.add(event)
                let gone = Set(pending.keys).subtracting(Self.unsynced(set).keys)
                let failed = gone.filter { pending[$0]?.allSatisfy(\.isUnsyncable) == true }
                replaced.formUnion(failed)
                madeDurable[skippedEvents + index + 1] = gone.subtracting(failed).sorted()
                continue
            case .oracle(let line):
                linesBefore -= 1
                oracleLines[skippedEvents + index + 1] = try recording.payloads.bytes(of: line)
            default: break
            }
            set.add(event)
        }
        linesBefore = max(0, linesBefore)
        unsynced = Self.unsynced(set)
    }

    private static func unsynced(_ set: PendingSet) -> [OperationID: [Loss]] {
        Dictionary(grouping: set.losses(set.survivors(.nothing)), by: \.operation)
    }

    private mutating func addStates(_ recording: Recording, _ set: PendingSet) throws {
        let whole = set.tree(set.survivors(.everything))
        let comparison = TreeComparison(before: recording.base, believed: whole, recording.payloads)
        let lost = try LostAtoms(parsing: record.lost)
        func add(_ kind: StateFacts.Kind, _ choice: Choice, _ verdict: Verdict?, _ check: Check?) throws {
            let survivors = set.survivors(choice)
            states.append(
                StateFacts(
                    kind: kind, lost: set.lost(survivors), losses: set.losses(survivors), verdict: verdict,
                    check: check, files: try comparison.files(found: set.tree(survivors))))
        }
        try add(.finding, .losing(lost), .violation, record.check.check)
        for (kind, choice) in Self.losesNothing(record) ? [] : lost.neighbours {
            let survivors = set.survivors(choice)
            let atoms = set.lost(survivors)
            if states.contains(where: { $0.lost == atoms }) { continue }
            let known = record.neighbours?.first { $0.lost == atoms.description }
            try add(.neighbour(kind), choice, known?.verdict, known?.check)
        }
    }
}

/// A crash state: its losses and its files.
package struct StateFacts: Sendable {
    package enum Kind: Hashable, Sendable {
        case finding
        case neighbour(Neighbour.Kind)
    }

    package var kind: Kind
    package var lost: LostAtoms
    package var losses: [Loss]
    /// The verdict of its recovery; nil if it was not recovered.
    package var verdict: Verdict?
    package var check: Check?
    package var files: TreeComparison.Files
}

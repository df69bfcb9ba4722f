import Bytes
import Model
import Platform
import Schedules
import Storage

/// Checks the crash states of every schedule: after each event of the trace, and under each profile, every state that a
/// crash could leave must recover with everything that was acknowledged so far.
///
/// A step that is no event leaves the crash states as they are, so that every step of every schedule is covered. Traces with
/// equal beginnings have equal crash states there: each beginning is checked once, and each state is recovered once.
///
/// Used by one exploration. Not thread safe.
final class CrashChecker: @unchecked Sendable {
    static let profiles: [Profile] = [.kill, .strict, .ext4Ordered]

    /// Recovers a store and returns its content. Throws if it does not open.
    typealias Recovery = @Sendable (MemoryStorage) throws -> [Entry]

    private(set) var counts = CrashCounts()
    private var seenBeginnings: Set<StateHash> = []
    private var recovered: [StateHash: Result<[Entry], RecoveryFailure>] = [:]
    private let recover: Recovery
    private let judge: @Sendable (_ content: [Entry], _ notes: ArraySlice<CrashNote>) -> String?

    private struct RecoveryFailure: Error {
        var reason: String
    }

    /// - Parameter judge: what is wrong with recovered content after these notes; nil if nothing.
    init(
        recover: @escaping Recovery,
        judge: @escaping @Sendable (_ content: [Entry], _ notes: ArraySlice<CrashNote>) -> String?
    ) {
        self.recover = recover
        self.judge = judge
    }

    /// The most states of one crash point; beyond them only as many are looked at, and `counts.boundedPoints` rises.
    private static let statesAtMost = 4096

    /// Checks a trace, from the crash point `first` on. Throws `ScheduleCheckError` with the first finding.
    func check(_ recording: RecordingStorage, _ notes: [CrashNote], from first: Int, through last: Int) throws {
        let events = recording.events
        var encoder = TraceEncoder()
        var beginning = StateHash(high: 0, low: 0)
        var sets: [PendingSet]?
        var noteCount = 0
        for (index, event) in events.prefix(last).enumerated() {
            let bytes = try TraceRecord.event(event).payload.map { try recording.payloads.bytes(of: $0) } ?? []
            try bytes.withUnsafeBytes { _ = try encoder.encode(.event(event), data: $0) }
            beginning = .mixed(beginning, encoder.withUnstoredBytes { StateHash(of: $0) })
            encoder.removeStored()
            if case .oracle = event { noteCount += 1 }
            sets?.addToEach(event)
            guard index + 1 >= first, !seenBeginnings.contains(beginning) else { continue }
            if sets == nil {
                sets = Self.profiles.map { PendingSet(profile: $0, base: recording.base) }
                for event in events[...index] { sets?.addToEach(event) }
            }
            counts.crashPoints += 1
            for set in sets ?? [] { try check(set, recording, notes.prefix(noteCount), at: index + 1) }
            // Not before: a failing schedule fails again when it is replayed.
            seenBeginnings.insert(beginning)
        }
    }

    private func check(
        _ set: PendingSet, _ recording: RecordingStorage, _ notes: ArraySlice<CrashNote>, at crashPoint: Int
    ) throws {
        var walker = try StateWalker(set, payloads: recording.payloads)
        var count = 0
        repeat {
            counts.states += 1
            count += 1
            if let reason = try finding(walker.hash, notes, { set.tree(walker.survivors()) }, recording) {
                throw ScheduleCheckError(
                    "a crash after event \(crashPoint) of the trace, under \(set.profile.rawValue): \(reason)")
            }
            if count == Self.statesAtMost {
                counts.boundedPoints += 1
                return
            }
        } while try walker.next()
    }

    private func finding(
        _ hash: StateHash, _ notes: ArraySlice<CrashNote>, _ tree: () -> Tree, _ recording: RecordingStorage
    ) throws -> String? {
        let content: Result<[Entry], RecoveryFailure>
        if let known = recovered[hash] {
            content = known
        } else {
            counts.recovered += 1
            let storage = try MemoryStorage(tree(), payloads: recording.payloads)
            do { content = .success(try recover(storage)) } catch {
                content = .failure(RecoveryFailure(reason: "\(error)"))
            }
            recovered[hash] = content
        }
        switch content {
        case .success(let entries): return judge(entries, notes)
        case .failure(let failure): return "the store does not open: \(failure.reason)"
        }
    }
}

extension [PendingSet] {
    fileprivate mutating func addToEach(_ event: TraceEvent) {
        for index in indices { self[index].add(event) }
    }
}

/// How much was checked of the crashes inside the schedules.
package struct CrashCounts: Hashable, Sendable {
    /// Distinct beginnings of traces.
    package var crashPoints = 0
    /// Crash states at these, under all profiles.
    package var states = 0
    /// Distinct states, each of which was recovered.
    package var recovered = 0
    /// Crash points with more states than were looked at.
    package var boundedPoints = 0
}

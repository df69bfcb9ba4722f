import Bytes
import Model
import Storage

/// One recorded run, ready to be crashed: the tree it began with, its events, and where their data is.
package struct Recording: Sendable {
    package var base: Tree
    package var events: EventList
    package var payloads: any PayloadStore
    /// Of a block device: how many bytes survive whole or not at all. Nil for a recording of files.
    package var sectorBytes: UInt64?
    /// How the trace file ends that it was read from.
    package private(set) var ending = TraceEnding.whole
    /// The files that the store writes through shared mappings. What it stored there and the kernel has not written back
    /// survives a kill of the process and is in no trace, so no state that a kill leaves can be derived.
    ///
    /// Known from the pages that the kernel wrote back. A recording that ends before the first of them cannot tell: who
    /// knows it from another life of the store adds it.
    package private(set) var mappedFiles: [String]

    package init(base: Tree, events: [TraceEvent], payloads: any PayloadStore) {
        self.init(base: base, events: EventList(events), payloads: payloads)
    }

    private init(base: Tree, events: EventList, payloads: any PayloadStore) {
        self.base = base
        self.events = events
        self.payloads = payloads
        mappedFiles = Recording.mappedFiles(base, events)
    }

    /// What another life of the store showed.
    package mutating func addMappedFiles(_ files: [String]) {
        for file in files where !mappedFiles.contains(file) { mappedFiles.append(file) }
    }

    /// The profiles under which states can be derived, from the strongest to the weakest.
    package var profiles: [Profile] {
        if sectorBytes != nil { return [.block] }
        return Profile.allCases.filter { $0 != .kill || mappedFiles.isEmpty }
    }

    /// Throws when no state can be derived under `profile`.
    package func require(_ profile: Profile) throws(RecordingError) {
        guard profiles.contains(profile) else { throw .noKillStates(mappedFiles: mappedFiles) }
    }

    /// By their paths at the first page of each that was written back.
    private static func mappedFiles(_ base: Tree, _ events: EventList) -> [String] {
        guard events.contains(where: \.isWriteback) else { return [] }
        var narrator = TraceNarrator()
        for record in base.baseRecords() { narrator.follow(record) }
        var files: [String] = []
        for event in events {
            let line = narrator.tell(event)
            if event.isWriteback, let file = line.shownPath, !files.contains(file) { files.append(file) }
        }
        return files
    }

    /// Nothing has happened yet.
    func emptyPendingSet(_ profile: Profile) -> PendingSet {
        PendingSet(profile: profile, base: base, unitBytes: sectorBytes)
    }

    /// Reads a trace file. One that ends early is read as far as it goes; one that ends within its base tree derives
    /// nothing and is an error. What is much stays in the file, and is read from there when it is asked for.
    ///
    /// - Parameters:
    ///   - budget: how much of the data may be in memory.
    ///   - onFailure: hears of a disk that fails later on: what was derived does not count then.
    package init(
        tracePath: ByteString, _ budget: MemoryBudget, onFailure: @escaping @Sendable (any Error) -> Void
    ) throws {
        let reader = try TraceReader(path: tracePath)
        let trace = try reader.load(keepingAtMost: Recording.eventsInMemory, onFailure: onFailure)
        self.init(
            base: trace.base, events: trace.events,
            payloads: try reader.payloads(keepingAtMost: UInt64(2 * budget.cacheBytes)))
        ending = trace.ending
    }

    /// Of so many events, some ten megabytes, all are in memory.
    private static let eventsInMemory = 1 << 16

    /// The oracle's lines in order: where each stands in the trace, and where its bytes are.
    package var oracleLines: [(crashPoint: Int, line: Payload)] {
        events.enumerated().compactMap { index, event in
            if case .oracle(let line) = event { (index + 1, line) } else { nil }
        }
    }
}

/// Why a recording cannot be explored.
package enum RecordingError: Error, Hashable, Sendable {
    /// A crash point beyond the trace's end.
    case crashPointBeyondTrace(Int, eventCount: Int)
    /// Under `kill`, of a store that writes through shared mappings of these files.
    case noKillStates(mappedFiles: [String])
    /// The system gives no more memory to know the states by that were met.
    case noMemory(sizeBytes: Int)
}

extension RecordingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .crashPointBeyondTrace(let point, let count):
            "crash point \(point) is beyond the trace, which has \(count.counted("event"))"
        case .noKillStates(let files):
            "no state that a kill leaves can be derived: the store writes through a shared mapping of "
                + "\(files.prefix(3).joined(separator: ", "))\(files.count > 3 ? ", …" : ""), and what it stored there "
                + "survives a kill before any trace shows it; --scenario kill checks it with live kills"
        case .noMemory(let size):
            "there is no memory for more crash states (\(size) bytes were asked for): limit them with --states, or --budget"
        }
    }
}

extension TraceEvent {
    /// Pages of a shared mapping that the kernel wrote back.
    fileprivate var isWriteback: Bool {
        if case .operation(let operation) = self { operation.origin == .writeback } else { false }
    }
}

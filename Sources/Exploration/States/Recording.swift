import Bytes
import Model
import Storage

/// A recorded run from which crash states are derived: the base tree, the events, and the store of their data.
package struct Recording: Sendable {
    package var base: Tree
    package var events: EventList
    package var payloads: any PayloadStore
    /// For a block device: the number of bytes that survive whole or not at all. nil for a recording of files.
    package var sectorBytes: UInt64?
    /// How the trace file ends.
    package private(set) var ending = TraceEnding.whole
    /// The files that the store writes through shared mappings. Data in such a mapping survives a kill before the kernel
    /// writes it back, and is then in no trace. Therefore states after a kill cannot be derived.
    ///
    /// Detected from writeback events. A recording that ends before the first of them has none; callers that know such
    /// files from another recording add them.
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

    /// Adds mapped files known from another recording of the store.
    package mutating func addMappedFiles(_ files: [String]) {
        for file in files where !mappedFiles.contains(file) { mappedFiles.append(file) }
    }

    /// After a change of the events: the mapped files of those that are left.
    mutating func forgetMappedFiles() { mappedFiles = Recording.mappedFiles(base, events) }

    /// The profiles under which states can be derived, from the strongest to the weakest.
    package var profiles: [Profile] {
        if sectorBytes != nil { return [.block] }
        return Profile.allCases.filter { $0 != .kill || mappedFiles.isEmpty }
    }

    /// Throws if no states can be derived under `profile`.
    package func require(_ profile: Profile) throws(RecordingError) {
        guard profiles.contains(profile) else { throw .noKillStates(mappedFiles: mappedFiles) }
    }

    /// The paths of the files at their first writeback.
    private static func mappedFiles(_ base: Tree, _ events: EventList) -> [String] {
        guard events.contains(where: \.isWriteback) else { return [] }
        var names = InodeNames()
        for record in base.baseRecords() { names.follow(record) }
        var files: [String] = []
        for event in events {
            guard case .operation(let operation) = event else { continue }
            names.follow(operation.change)
            guard event.isWriteback, case .write(let inode, _, _) = operation.change else { continue }
            let file = String(names.path(inode).description.trimmingPrefix("/"))
            if !files.contains(file) { files.append(file) }
        }
        return files
    }

    /// The pending set at the start of the trace.
    func emptyPendingSet(_ profile: Profile) -> PendingSet {
        PendingSet(profile: profile, base: base, unitBytes: sectorBytes)
    }

    /// Reads a trace file. A trace that ends early is read as far as possible; one that ends within its base tree is an
    /// error. Large traces stay in the file and are read on demand.
    ///
    /// - Parameters:
    ///   - budget: the limit for data in memory.
    ///   - onFailure: called if a later read fails. States derived after that are invalid.
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

    /// Up to this many events, about ten megabytes, are all kept in memory.
    private static let eventsInMemory = 1 << 16

    /// The oracle lines in order: the crash point right after each, and its bytes.
    package var oracleLines: [(crashPoint: Int, line: Payload)] {
        events.enumerated().compactMap { index, event in
            if case .oracle(let line) = event { (index + 1, line) } else { nil }
        }
    }
}

/// Why a recording cannot be explored.
package enum RecordingError: Error, Hashable, Sendable {
    /// A crash point beyond the end of the trace.
    case crashPointBeyondTrace(Int, eventCount: Int)
    /// States under `kill`, of a store that writes through shared mappings of these files.
    case noKillStates(mappedFiles: [String])
    /// The system has no memory for more states.
    case noMemory(sizeBytes: Int)
}

extension RecordingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .crashPointBeyondTrace(let point, let count):
            "crash point \(point) is beyond the trace, which has \(count.counted("event"))"
        case .noKillStates(let files):
            "the states after a kill cannot be derived: the store writes through a shared mapping of "
                + "\(files.prefix(3).joined(separator: ", "))\(files.count > 3 ? ", …" : ""), and data in it survives a "
                + "kill without being in the trace; --scenario kill checks the store with live kills"
        case .noMemory(let size):
            "out of memory for more crash states (\(size) bytes requested): limit them with --states or --budget"
        }
    }
}

extension TraceEvent {
    /// Whether the kernel wrote back pages of a shared mapping.
    fileprivate var isWriteback: Bool {
        if case .operation(let operation) = self { operation.origin == .writeback } else { false }
    }
}

import Exploration
import Model

/// Tracks the injected faults of a run while its events are read in order.
struct FaultTrail {
    private let faults: [OperationID: [InjectedFault]]
    /// A sync that loses data, and its file. Until it ends, writes to this file are made by the fault.
    private var reverting: (sync: OperationID, file: InodeID)?

    private static let sentencesAtMost = 3

    init(_ faults: [InjectedFault]) { self.faults = Dictionary(grouping: faults, by: \.operation) }

    mutating func follow(_ event: TraceEvent) {
        switch event {
        case .barrierBegan(let id, .fsync(let file), _), .barrierBegan(let id, .fdatasync(let file), _):
            if faults[id]?.contains(where: \.revertsData) == true { reverting = (id, file) }
        case .barrierEnded(let id, _) where reverting?.sync == id: reverting = nil
        default: break
        }
    }

    /// The faults of an operation; nil if only the rule is known.
    func faultText(of id: OperationID) -> String? { faults[id]?.map(\.storyText).joined(separator: ", ") }

    /// A remark on an operation that a fault changed or made.
    func remark(on operation: Operation) -> String? {
        if let reverting, operation.change.writes(reverting.file) { return "old bytes, restored by the fault" }
        return faults[operation.id] == nil ? nil : "changed by the fault"
    }

    /// The sentences about the faults among the events, without duplicates.
    func sentences(_ events: some Sequence<TraceEvent>) -> [String] {
        var sentences: [String] = []
        for event in events {
            guard case .fault(let id, _) = event else { continue }
            for sentence in (faults[id] ?? []).map(\.sentence) where !sentences.contains(sentence) {
                sentences.append(sentence)
            }
        }
        let more = sentences.count - Self.sentencesAtMost
        return more > 0
            ? sentences.prefix(Self.sentencesAtMost) + ["And \(more.counted("more fault")) like these."] : sentences
    }
}

extension Change {
    /// Whether it changes the content of the file.
    fileprivate func writes(_ file: InodeID) -> Bool {
        switch self {
        case .write(let inode, _, _), .truncate(let inode, _), .allocate(let inode, _, _, _): inode == file
        default: false
        }
    }
}

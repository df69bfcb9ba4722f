import Model

/// Follows the faults that were injected into a run, as its events go by.
struct FaultTrail {
    private let faults: [OperationID: [InjectedFault]]
    /// A sync that loses what it covered, and its file: what is written there until it ends is the fault's.
    private var undoing: (sync: OperationID, file: InodeID)?

    private static let sentencesAtMost = 3

    init(_ faults: [InjectedFault]) { self.faults = Dictionary(grouping: faults, by: \.operation) }

    mutating func follow(_ event: TraceEvent) {
        switch event {
        case .barrierBegan(let id, .fsync(let file), _), .barrierBegan(let id, .fdatasync(let file), _):
            if faults[id]?.contains(where: \.undoes) == true { undoing = (id, file) }
        case .barrierEnded(let id, _) where undoing?.sync == id: undoing = nil
        default: break
        }
    }

    /// What was done to an operation, and to which; nil where only the rule is known.
    func deed(to id: OperationID) -> String? { faults[id]?.map(\.storyDeed).joined(separator: ", ") }

    /// What a fault did of an operation's work: it hit it, or it is the fault's own.
    func remark(on operation: Operation) -> String? {
        if let undoing, operation.change.writes(undoing.file) { return "old bytes, put back by the fault" }
        return faults[operation.id] == nil ? nil : "as the fault made it"
    }

    /// What the faults among the events did, each once.
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
            ? sentences.prefix(Self.sentencesAtMost) + ["And so \(more.counted("more time"))."] : sentences
    }
}

extension Change {
    /// Whether it changes what the file holds.
    fileprivate func writes(_ file: InodeID) -> Bool {
        switch self {
        case .write(let inode, _, _), .truncate(let inode, _), .allocate(let inode, _, _, _): inode == file
        default: false
        }
    }
}

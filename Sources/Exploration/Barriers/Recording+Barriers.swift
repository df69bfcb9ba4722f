import Bytes
import Model
import Oracle
import Storage

/// A recording with other barriers than the store made: as if its code had more syncs, or fewer.
///
/// Derivation is pure, so the crash states of the changed code follow without running it. Assumes that a sync changes
/// nothing but durability: the store would make the same operations.
package struct EditedRecording: Sendable {
    package var recording: Recording
    /// The number of barriers that were inserted or removed.
    package var count: Int
}

extension Recording {
    /// The barriers of the run by pattern, in the order in which they first occur, with their number.
    package var barriers: [(pattern: BarrierPattern, count: Int)] {
        var found: [(pattern: BarrierPattern, count: Int)] = []
        forEachBarrier { _, pattern in
            if let known = found.firstIndex(where: { $0.pattern == pattern }) {
                found[known].count += 1
            } else {
                found.append((pattern, 1))
            }
        }
        return found
    }

    /// The recording without the barriers of a pattern.
    package func removing(_ pattern: BarrierPattern) -> EditedRecording {
        var removed: Set<OperationID> = []
        forEachBarrier { id, other in
            if other == pattern { removed.insert(id) }
        }
        var edit = TraceEdit()
        for event in events {
            switch event {
            case .barrierBegan(let id, _, _), .barrierEnded(let id, _), .fault(let id, _):
                if removed.contains(id) { continue }
            case .operation, .completed, .oracle: break
            }
            edit.append(event)
        }
        return EditedRecording(recording: with(edit.events), count: removed.count)
    }

    /// The recording with more barriers. Throws if an oracle line cannot be read.
    package func inserting(_ insertions: [BarrierInsertion]) throws -> EditedRecording {
        var inserter = BarrierInserter(insertions, self)
        var last: TraceEvent?
        for event in events {
            if let last { try inserter.add(last, isWholeCall: !event.continuesCall, payloads) }
            last = event
        }
        if let last { try inserter.add(last, isWholeCall: true, payloads) }
        return EditedRecording(recording: with(inserter.edit.events), count: inserter.count)
    }

    private func with(_ events: [TraceEvent]) -> Recording {
        var recording = self
        recording.events = EventList(events)
        return recording
    }

    /// The paths that each inode has in the run, each once.
    fileprivate var pathsOfFiles: [InodeID: [ByteString]] {
        var names = InodeNames()
        var paths: [InodeID: [ByteString]] = [:]
        func note(_ entry: DirectoryEntry, _ inode: InodeID) {
            let path = names.path(entry)
            if paths[inode]?.contains(path) != true { paths[inode, default: []].append(path) }
        }
        for record in base.baseRecords() { names.follow(record) }
        for case .entry(let entry, let inode) in base.baseRecords() { note(entry, inode) }
        for case .operation(let operation) in events {
            names.follow(operation.change)
            let entries: [DirectoryEntry] =
                switch operation.change {
                case .create(_, _, _, let entry), .link(_, let entry): [entry]
                case .rename(let from, let to, _): [from, to]
                case .unlink, .write, .truncate, .allocate, .setAttributes, .setExtendedAttribute: []
                }
            for entry in entries { if let inode = names.inode(at: entry) { note(entry, inode) } }
        }
        return paths
    }

    private func forEachBarrier(_ body: (OperationID, BarrierPattern) -> Void) {
        var names = InodeNames()
        for record in base.baseRecords() { names.follow(record) }
        for event in events {
            switch event {
            case .operation(let operation): names.follow(operation.change)
            case .barrierBegan(let id, let barrier, _): body(id, BarrierPattern(barrier, names))
            case .completed, .barrierEnded, .oracle, .fault: break
            }
        }
    }
}

/// A trace that is being written again, with new ids: they rise by one.
struct TraceEdit {
    private(set) var events: [TraceEvent] = []
    private var ids: [OperationID: OperationID] = [:]
    private var lastID: UInt64 = 0

    /// Appends an event of the old trace.
    mutating func append(_ event: TraceEvent) {
        switch event {
        case .operation(var operation):
            operation.id = renumbered(operation.id)
            events.append(.operation(operation))
        case .completed(let id): events.append(.completed(renumbered(id)))
        case .barrierBegan(let id, .forceUnitAccess(let write), let process):
            let write = renumbered(write)
            events.append(.barrierBegan(renumbered(id), .forceUnitAccess(write), process: process))
        case .barrierBegan(let id, let barrier, let process):
            events.append(.barrierBegan(renumbered(id), barrier, process: process))
        case .barrierEnded(let id, let errno): events.append(.barrierEnded(renumbered(id), errno: errno))
        case .oracle: events.append(event)
        case .fault(let id, let rule): events.append(.fault(renumbered(id), rule: rule))
        }
    }

    /// Appends an fsync that succeeds.
    mutating func sync(_ inode: InodeID, process: Int32) {
        lastID += 1
        let id = OperationID(lastID)
        events += [.barrierBegan(id, .fsync(inode), process: process), .barrierEnded(id, errno: 0)]
    }

    private mutating func renumbered(_ id: OperationID) -> OperationID {
        if let known = ids[id] { return known }
        lastID += 1
        ids[id] = OperationID(lastID)
        return OperationID(lastID)
    }
}

/// Copies a trace event by event and inserts syncs.
private struct BarrierInserter {
    private(set) var edit = TraceEdit()
    private(set) var count = 0
    private let insertions: [BarrierInsertion]
    private var names = InodeNames()
    /// All paths that a file has in the run: a loss names it by the path that it has at the crash.
    private let paths: [InodeID: [ByteString]]
    /// What is to be synced before an acknowledgement or a rename, in the order of the changes.
    private var unsynced: [BarrierInsertion.Moment: [InodeID]] = [:]
    /// What is to be synced after operations that have not completed.
    private var afterCompletion: [OperationID: [InodeID]] = [:]
    /// What is to be synced after the last piece of the current call.
    private var afterCall: [InodeID] = []

    init(_ insertions: [BarrierInsertion], _ recording: Recording) {
        self.insertions = insertions
        paths = recording.pathsOfFiles
        for record in recording.base.baseRecords() { names.follow(record) }
    }

    /// - Parameter isWholeCall: false if the next event is a further piece of the same call.
    mutating func add(_ event: TraceEvent, isWholeCall: Bool, _ payloads: any PayloadStore) throws {
        switch event {
        case .operation(let operation): add(operation, isWholeCall: isWholeCall)
        case .completed(let id):
            edit.append(event)
            sync(afterCompletion.removeValue(forKey: id) ?? [], process: 0)
        case .oracle(let line):
            if unsynced[.beforeAcknowledgement] != nil, try Self.isAcknowledgement(try payloads.bytes(of: line)) {
                sync(unsynced.removeValue(forKey: .beforeAcknowledgement) ?? [], process: 0)
            }
            edit.append(event)
        case .barrierBegan, .barrierEnded, .fault: edit.append(event)
        }
    }

    private mutating func add(_ operation: Operation, isWholeCall: Bool) {
        let targets = targets(of: operation.change)
        if case .rename(let from, _, _) = operation.change, let inode = names.inode(at: from) {
            if let place = unsynced[.beforeRename]?.firstIndex(of: inode) {
                unsynced[.beforeRename]?.remove(at: place)
                sync([inode], process: operation.process)
            }
        }
        if case .create(_, .regular, _, _) = operation.change {
            sync(unsynced.removeValue(forKey: .beforeCreation) ?? [], process: operation.process)
        }
        edit.append(.operation(operation))
        names.follow(operation.change)
        for (insertion, inode) in targets {
            switch insertion.moment {
            case .afterChange where !operation.isComplete: afterCompletion[operation.id, default: []].append(inode)
            case .afterChange: if !afterCall.contains(inode) { afterCall.append(inode) }
            case .beforeAcknowledgement, .beforeRename, .beforeCreation:
                if unsynced[insertion.moment]?.contains(inode) != true {
                    unsynced[insertion.moment, default: []].append(inode)
                }
            }
        }
        if isWholeCall {
            sync(afterCall, process: operation.process)
            afterCall = []
        }
    }

    private mutating func sync(_ inodes: [InodeID], process: Int32) {
        for inode in inodes { edit.sync(inode, process: process) }
        count += inodes.count
    }

    // MARK: - What a change needs

    private func targets(of change: Change) -> [(BarrierInsertion, InodeID)] {
        var found: [(BarrierInsertion, InodeID)] = []
        func add(_ kinds: [LossKind], _ paths: [ByteString], file: InodeID?, directory: InodeID?) {
            let patterns = paths.map { TextPattern(of: ByteString(Array($0.bytes.dropFirst()))) }
            for insertion in insertions
            where kinds.contains(insertion.change.kind) && patterns.contains(where: insertion.change.path.covers) {
                let inode = insertion.target == .file ? file : directory
                if let inode, !found.contains(where: { $0 == (insertion, inode) }) { found.append((insertion, inode)) }
            }
        }
        func addFile(_ kinds: [LossKind], _ inode: InodeID) {
            add(kinds, paths[inode] ?? [], file: inode, directory: nil)
        }
        func addName(_ kind: LossKind, _ entry: DirectoryEntry) {
            add([kind], [names.path(entry)], file: names.inode(at: entry), directory: entry.directory)
        }
        switch change {
        case .write(let inode, _, _): addFile([.write, .zeros], inode)
        case .truncate(let inode, _): addFile([.size, .zeros], inode)
        case .allocate(let inode, _, _, _): addFile([.zeros, .size], inode)
        case .create(_, _, _, let entry), .link(_, let entry): addName(.name, entry)
        case .unlink(let entry): addName(.removal, entry)
        case .rename(let from, let to, let mode):
            addName(.removal, from)
            addName(.name, to)
            if mode == .exchange { addName(.name, from) }
        case .setAttributes(let inode, _): addFile([.attributes], inode)
        case .setExtendedAttribute(let inode, _, _): addFile([.extendedAttribute], inode)
        }
        return found
    }

    private static func isAcknowledgement(_ line: [UInt8]) throws -> Bool {
        if case .acknowledged = try OracleLine.parse(line, line: 1) { true } else { false }
    }
}

extension TraceEvent {
    /// Whether it is a further piece of the call before it.
    fileprivate var continuesCall: Bool {
        if case .operation(let operation) = self { operation.origin == .sameCall } else { false }
    }
}

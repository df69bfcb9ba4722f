import Bytes
import Model
import Storage

extension Recording {
    /// The name of the extended attribute that takes the place of an event on an ignored file. Removing it from the root
    /// changes nothing, so that crash points and event numbers stay as recorded.
    package static let ignoredMark: ByteString = "trusted.faultline.ignored"

    /// Takes the changes of ignored files out of the recording: no crash state varies them. In a crash state such a file is
    /// as it was before the recording; one that was created, renamed or removed since is absent.
    ///
    /// A file is ignored if each name that it ever had matches a pattern, or is in a directory that does. A sync of an
    /// ignored file covers nothing.
    ///
    /// - Returns: the paths of the ignored files and directories.
    package mutating func ignore(_ patterns: [Glob]) -> Set<ByteString> {
        guard !patterns.isEmpty, sectorBytes == nil else { return [] }
        var finder = IgnoredInodes(patterns)
        finder.read(base, events)
        guard !finder.ignored.isEmpty else { return [] }
        let changes = finder.replacements(base, events)
        let removed = finder.removedFromBase
        if !removed.isEmpty {
            for (inode, node) in base.nodes where node.entries.contains(where: { removed.contains($0.value) }) {
                base.nodes[inode]?.entries = node.entries.filter { !removed.contains($0.value) }
            }
            for inode in removed { base.nodes[inode] = nil }
        }
        events = events.replacing(changes)
        forgetMappedFiles()
        return finder.paths
    }
}

/// Finds the inodes of a recording whose names all match patterns.
private struct IgnoredInodes {
    private let patterns: [Glob]
    private var names = InodeNames()
    /// The inodes of which every name so far matches, with these names.
    private var matching: [InodeID: Set<ByteString>] = [:]
    private var kept: Set<InodeID> = [.root]
    /// The directories in which an inode has or had a name.
    private var parents: [InodeID: Set<InodeID>] = [:]
    /// Inodes that changed places: both are ignored, or neither is.
    private var exchanged: [(InodeID, InodeID)] = []
    /// Inodes of the base tree whose names change.
    private(set) var removedFromBase: Set<InodeID> = []

    init(_ patterns: [Glob]) { self.patterns = patterns }

    var ignored: Set<InodeID> { Set(matching.keys).subtracting(kept) }
    var paths: Set<ByteString> { ignored.reduce(into: []) { $0.formUnion(matching[$1] ?? []) } }

    // MARK: - Finding

    mutating func read(_ base: Tree, _ events: EventList) {
        let records = base.baseRecords()
        for record in records { names.follow(record) }
        for record in records {
            if case .entry(let entry, let inode) = record { note(inode, at: entry) }
        }
        for event in events {
            guard case .operation(let operation) = event else { continue }
            let change = operation.change
            var exchange: (InodeID, InodeID)?
            if case .rename(let from, let to, .exchange) = change, let one = names.inode(at: from),
                let other = names.inode(at: to)
            {
                exchange = (one, other)
            }
            names.follow(change)
            switch change {
            case .create(let inode, _, _, let entry), .link(let inode, let entry): note(inode, at: entry)
            case .rename(let from, let to, _):
                if let moved = names.inode(at: to) { note(moved, at: to) }
                if let exchange {
                    note(exchange.1, at: from)
                    exchanged.append(exchange)
                }
            default: break
            }
        }
        keepDependants()
    }

    private mutating func note(_ inode: InodeID, at entry: DirectoryEntry) {
        parents[inode, default: []].insert(entry.directory)
        let path = ByteString(names.path(entry).bytes.drop { $0 == UInt8(ascii: "/") })
        if matches(path) { matching[inode, default: []].insert(path) } else { kept.insert(inode) }
    }

    /// Whether the path or a directory on it matches.
    private func matches(_ path: ByteString) -> Bool {
        var path = path.bytes[...]
        while true {
            if patterns.contains(where: { $0.matches(ByteString(path)) }) { return true }
            guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return false }
            path = path[..<slash]
        }
    }

    /// A directory stays if a file that stays was ever in it.
    private mutating func keepDependants() {
        var waiting = Array(kept)
        while true {
            while let inode = waiting.popLast() {
                for parent in parents[inode] ?? [] where kept.insert(parent).inserted { waiting.append(parent) }
            }
            for (one, other) in exchanged where kept.contains(one) != kept.contains(other) {
                let inode = kept.contains(one) ? other : one
                kept.insert(inode)
                waiting.append(inode)
            }
            if waiting.isEmpty { return }
        }
    }

    // MARK: - Replacing

    /// The events that take the place of those on ignored files, by position.
    mutating func replacements(_ base: Tree, _ events: EventList) -> [Int: TraceEvent] {
        let ignored = ignored
        var replacements: [Int: TraceEvent] = [:]
        var barriers: Set<OperationID> = []
        names = InodeNames()
        for record in base.baseRecords() { names.follow(record) }
        func mark(_ id: OperationID, _ process: Int32, isComplete: Bool) -> TraceEvent {
            .operation(
                Operation(
                    id: id, .setExtendedAttribute(.root, name: Recording.ignoredMark, value: nil), process: process,
                    isComplete: isComplete))
        }
        for (position, event) in events.enumerated() {
            switch event {
            case .operation(let operation):
                let (subject, target) = inodes(of: operation.change)
                if let subject, ignored.contains(subject) {
                    replacements[position] = mark(operation.id, operation.process, isComplete: operation.isComplete)
                    if changesNames(operation.change), base.nodes[subject] != nil { removedFromBase.insert(subject) }
                    if case .rename(_, let to, _) = operation.change, let target, !ignored.contains(target) {
                        var removal = operation
                        removal.change = .unlink(to)
                        replacements[position] = .operation(removal)
                    }
                }
                if let target, ignored.contains(target), base.nodes[target] != nil { removedFromBase.insert(target) }
                names.follow(operation.change)
            case .barrierBegan(let id, .fsync(let inode), let process),
                .barrierBegan(let id, .fdatasync(let inode), let process):
                guard ignored.contains(inode) else { continue }
                barriers.insert(id)
                replacements[position] = mark(id, process, isComplete: false)
            case .barrierEnded(let id, _) where barriers.contains(id): replacements[position] = .completed(id)
            default: continue
            }
        }
        removeContents(of: base, ignored)
        return replacements
    }

    /// The inode that a change is about, and the one that a rename replaces.
    private func inodes(of change: Change) -> (subject: InodeID?, target: InodeID?) {
        switch change {
        case .write(let inode, _, _), .truncate(let inode, _), .allocate(let inode, _, _, _),
            .create(let inode, _, _, _),
            .link(let inode, _), .setAttributes(let inode, _), .setExtendedAttribute(let inode, _, _):
            (inode, nil)
        case .unlink(let entry): (names.inode(at: entry), nil)
        case .rename(let from, let to, _): (names.inode(at: from), names.inode(at: to))
        }
    }

    private func changesNames(_ change: Change) -> Bool {
        switch change {
        case .create, .link, .unlink, .rename: true
        case .write, .truncate, .allocate, .setAttributes, .setExtendedAttribute: false
        }
    }

    /// What is in a directory that goes from the base tree goes, too.
    private mutating func removeContents(of base: Tree, _ ignored: Set<InodeID>) {
        var waiting = Array(removedFromBase)
        while let inode = waiting.popLast() {
            for child in base.nodes[inode]?.entries.values ?? [:].values
            where ignored.contains(child) && removedFromBase.insert(child).inserted {
                waiting.append(child)
            }
        }
    }
}

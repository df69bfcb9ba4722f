import Bytes
import Model

/// Converts the events of a trace to text, with paths instead of inodes. It tracks the names of inodes through the trace.
///
/// Two traces of the same workload give the same text, whatever their inode numbers.
package struct TraceNarrator: Sendable {
    private var names: [DirectoryEntry: InodeID] = [:]
    private var histories: [InodeID: NameHistory] = [:]
    /// The number of converted events: the crash point after the last of them.
    private(set) package var eventCount = 0
    private var oracleCount = 0

    /// The names of an inode.
    private struct NameHistory: Sendable {
        /// The names, newest last. The last one is current; earlier ones may be outdated or duplicate. For an inode without
        /// names, the last name that it had.
        var entries: [DirectoryEntry] = []
        /// The number of current names.
        var nameCount = 0
    }

    package init() {}

    /// Reads the names of the base tree.
    package mutating func follow(_ base: BaseRecord) {
        if case .entry(let entry, let inode) = base { addName(entry, to: inode) }
    }

    /// Converts one event. Paths are those after the event.
    package mutating func narrate(_ event: TraceEvent) -> TraceLine {
        eventCount += 1
        var line = TraceLine(point: eventCount, what: "")
        switch event {
        case .operation(let operation):
            line.operation = operation.id.rawValue
            line.process = operation.process
            line.origin = operation.origin
            line.isInFlight = !operation.isComplete
            narrate(operation.change, &line)
        case .completed(let id):
            line.operation = id.rawValue
            line.what = "completed"
        case .barrierBegan(let id, let barrier, let process):
            line.operation = id.rawValue
            line.process = process
            switch barrier {
            case .fsync(let inode): (line.what, line.path) = ("fsync", path(inode))
            case .fdatasync(let inode): (line.what, line.path) = ("fdatasync", path(inode))
            case .flush: line.what = "flush"
            case .forceUnitAccess(let write): (line.what, line.detail) = ("force unit access", "op \(write.rawValue)")
            }
        case .barrierEnded(let id, let errno):
            line.operation = id.rawValue
            line.what = "synced"
            line.errno = errno
            if errno != 0 { line.what = "sync failed" }
        case .oracle(let payload):
            line.what = "oracle"
            line.data = payload
            oracleCount += 1
            line.oracleNumber = oracleCount
        case .fault(let id, let rule):
            line.operation = id.rawValue
            line.what = "fault"
            line.detail = rule.description
        }
        return line
    }

    private mutating func narrate(_ change: Change, _ line: inout TraceLine) {
        switch change {
        case .write(let inode, let offset, let data):
            (line.what, line.path) = ("write", path(inode))
            (line.offsetBytes, line.countBytes, line.data) = (offset, data.countBytes, data)
        case .truncate(let inode, let size):
            (line.what, line.path, line.sizeBytes) = ("truncate", path(inode), size)
        case .allocate(let inode, let offset, let count, let allocation):
            (line.what, line.path) = (Self.word(allocation), path(inode))
            (line.offsetBytes, line.countBytes) = (offset, count)
        case .create(let inode, let kind, let attributes, let entry):
            addName(entry, to: inode)
            (line.what, line.path) = (Self.word(kind), path(entry))
            line.detail = Self.words(attributes)
            if case .symbolicLink(let target) = kind { line.detail = "-> \(target)" }
        case .link(let inode, let entry):
            line.otherPath = path(inode)
            addName(entry, to: inode)
            (line.what, line.path) = ("link", path(entry))
        case .unlink(let entry):
            (line.what, line.path) = ("unlink", path(entry))
            removeName(entry)
        case .rename(let from, let to, let mode):
            line.what = mode == .exchange ? "exchange" : "rename"
            (line.path, line.otherPath) = (path(from), path(to))
            let (moved, replaced) = (names[from], names[to])
            removeName(from)
            removeName(to)
            if let moved { addName(to, to: moved) }
            if mode == .exchange, let replaced { addName(from, to: replaced) }
        case .setAttributes(let inode, let attributes):
            (line.what, line.path, line.detail) = ("chmod", path(inode), Self.words(attributes))
        case .setExtendedAttribute(let inode, let name, let value):
            (line.what, line.path) = (value == nil ? "removexattr" : "setxattr", path(inode))
            line.detail = name.description + (value.map { " = \($0)" } ?? "")
        }
    }

    // MARK: - Names

    private mutating func addName(_ entry: DirectoryEntry, to inode: InodeID) {
        removeName(entry)
        names[entry] = inode
        var known = histories.removeValue(forKey: inode) ?? NameHistory()
        if known.nameCount == 0 { known.entries = [] }
        known.entries.append(entry)
        known.nameCount += 1
        if known.entries.count > 2 * known.nameCount + 8 {
            var seen: Set<DirectoryEntry> = []
            let newest = known.entries.reversed().filter { names[$0] == inode && seen.insert($0).inserted }
            known.entries = newest.reversed()
        }
        histories[inode] = known
    }

    private mutating func removeName(_ entry: DirectoryEntry) {
        guard let inode = names.removeValue(forKey: entry), var known = histories.removeValue(forKey: inode) else {
            return
        }
        known.nameCount -= 1
        if known.nameCount == 0 { known.entries = [entry] }
        while known.nameCount > 0, let last = known.entries.last, names[last] != inode { known.entries.removeLast() }
        histories[inode] = known
    }

    private func path(_ entry: DirectoryEntry) -> ByteString {
        var path = PathFromEnd()
        path.prepend(entry.name)
        return self.path(beneath: entry.directory, path)
    }

    /// The path by the newest name of the inode, with "(gone)" after it if the inode has no name any more.
    private func path(_ inode: InodeID) -> ByteString {
        inode == .root ? "/" : path(beneath: inode, PathFromEnd())
    }

    /// Prepends the path of the inode to `path`.
    private func path(beneath inode: InodeID, _ path: PathFromEnd) -> ByteString {
        var path = path
        var suffix = isGone(inode) ? " (gone)" : ""
        var current = inode
        // Names in a trace may form a cycle; then the path becomes full.
        while current != .root, !path.isFull {
            guard let place = histories[current]?.entries.last else {
                path.prepend(ByteString("(\(current))"))
                break
            }
            path.prepend(ByteString(place.name.bytes + suffix.utf8))
            suffix = ""
            current = place.directory
        }
        return path.isFull ? path.path : ByteString([UInt8(ascii: "/")] + path.path.bytes)
    }

    private func isGone(_ inode: InodeID) -> Bool { histories[inode].map { $0.nameCount == 0 } ?? false }

    // MARK: - Words

    private static func word(_ kind: NodeKind) -> String {
        switch kind {
        case .regular: "create"
        case .directory: "mkdir"
        case .symbolicLink: "symlink"
        case .fifo: "mkfifo"
        case .socket: "mksock"
        }
    }

    private static func word(_ allocation: Allocation) -> String {
        switch allocation {
        case .extend: "allocate"
        case .keepSize: "allocate, keep size"
        case .punchHole: "punch"
        case .zeroRange: "zero"
        case .zeroRangeKeepSize: "zero, keep size"
        }
    }

    private static func words(_ attributes: Attributes) -> String {
        let mode = String(attributes.mode, radix: 8)
        let zeros = String(repeating: "0", count: max(0, 4 - mode.count))
        return "\(zeros)\(mode) owner \(attributes.owner):\(attributes.group)"
    }
}

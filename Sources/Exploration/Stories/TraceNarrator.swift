import Bytes
import Model

/// Says the records of a trace in words, with paths in place of inodes: it follows the names as the trace goes.
///
/// Two traces of the same work read the same, whatever inode numbers their filesystems gave.
package struct TraceNarrator: Sendable {
    private var names: [Entry: InodeID] = [:]
    private var places: [InodeID: Places] = [:]
    /// How many events were told: the crash point after the last of them.
    private(set) package var eventCount = 0
    private var oracleCount = 0

    /// The names of an inode.
    private struct Places: Sendable {
        /// The newest last, which is one that it has. Some of those before it may have gone to others meanwhile, or stand
        /// there twice. Of an inode that has no name any more, the last that it had.
        var entries: [Entry] = []
        /// How many names it has.
        var nameCount = 0
    }

    package init() {}

    /// Follows the names of the base tree, of which nothing is told.
    package mutating func follow(_ base: BaseRecord) {
        if case .entry(let entry, let inode) = base { give(entry, to: inode) }
    }

    /// Tells one event. Names are those that hold after it.
    package mutating func tell(_ event: TraceEvent) -> TraceLine {
        eventCount += 1
        var line = TraceLine(point: eventCount, what: "")
        switch event {
        case .operation(let operation):
            line.operation = operation.id.rawValue
            line.process = operation.process
            line.origin = operation.origin
            line.isInFlight = !operation.isComplete
            tell(operation.change, &line)
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

    private mutating func tell(_ change: Change, _ line: inout TraceLine) {
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
            give(entry, to: inode)
            (line.what, line.path) = (Self.word(kind), path(entry))
            line.detail = Self.words(attributes)
            if case .symbolicLink(let target) = kind { line.detail = "-> \(target)" }
        case .link(let inode, let entry):
            line.otherPath = path(inode)
            give(entry, to: inode)
            (line.what, line.path) = ("link", path(entry))
        case .unlink(let entry):
            (line.what, line.path) = ("unlink", path(entry))
            take(entry)
        case .rename(let from, let to, let mode):
            line.what = mode == .exchange ? "exchange" : "rename"
            (line.path, line.otherPath) = (path(from), path(to))
            let (moved, replaced) = (names[from], names[to])
            take(from)
            take(to)
            if let moved { give(to, to: moved) }
            if mode == .exchange, let replaced { give(from, to: replaced) }
        case .setAttributes(let inode, let attributes):
            (line.what, line.path, line.detail) = ("chmod", path(inode), Self.words(attributes))
        case .setExtendedAttribute(let inode, let name, let value):
            (line.what, line.path) = (value == nil ? "removexattr" : "setxattr", path(inode))
            line.detail = name.description + (value.map { " = \($0)" } ?? "")
        }
    }

    // MARK: - Names

    private mutating func give(_ entry: Entry, to inode: InodeID) {
        take(entry)
        names[entry] = inode
        var known = places.removeValue(forKey: inode) ?? Places()
        if known.nameCount == 0 { known.entries = [] }
        known.entries.append(entry)
        known.nameCount += 1
        if known.entries.count > 2 * known.nameCount + 8 {
            var seen: Set<Entry> = []
            let newest = known.entries.reversed().filter { names[$0] == inode && seen.insert($0).inserted }
            known.entries = newest.reversed()
        }
        places[inode] = known
    }

    private mutating func take(_ entry: Entry) {
        guard let inode = names.removeValue(forKey: entry), var known = places.removeValue(forKey: inode) else {
            return
        }
        known.nameCount -= 1
        if known.nameCount == 0 { known.entries = [entry] }
        while known.nameCount > 0, let last = known.entries.last, names[last] != inode { known.entries.removeLast() }
        places[inode] = known
    }

    private func path(_ entry: Entry) -> ByteString {
        var path = PathFromEnd()
        path.prepend(entry.name)
        return self.path(beneath: entry.directory, path)
    }

    /// By the last name that the inode was given; "(gone)" after one that it lost.
    private func path(_ inode: InodeID) -> ByteString {
        inode == .root ? "/" : path(beneath: inode, PathFromEnd())
    }

    /// The path of the inode, and after it what is in `path` already.
    private func path(beneath inode: InodeID, _ path: PathFromEnd) -> ByteString {
        var path = path
        var suffix = isGone(inode) ? " (gone)" : ""
        var current = inode
        // A trace may hold names that lead in a circle; the path is full then.
        while current != .root, !path.isFull {
            guard let place = places[current]?.entries.last else {
                path.prepend(ByteString("(\(current))"))
                break
            }
            path.prepend(ByteString(place.name.bytes + suffix.utf8))
            suffix = ""
            current = place.directory
        }
        return path.isFull ? path.path : ByteString([UInt8(ascii: "/")] + path.path.bytes)
    }

    private func isGone(_ inode: InodeID) -> Bool { places[inode].map { $0.nameCount == 0 } ?? false }

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

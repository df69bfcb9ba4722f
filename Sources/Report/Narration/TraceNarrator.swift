import Bytes
import Exploration
import Model

/// Converts the events of a trace to text, with paths instead of inodes. It tracks the names of inodes through the trace.
///
/// Two traces of the same workload give the same text, whatever their inode numbers.
package struct TraceNarrator: Sendable {
    private var names = InodeNames()
    /// The number of converted events: the crash point after the last of them.
    private(set) package var eventCount = 0
    private var oracleCount = 0

    package init() {}

    /// Reads the names of the base tree.
    package mutating func follow(_ base: BaseRecord) { names.follow(base) }

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
            case .fsync(let inode): (line.what, line.path) = ("fsync", names.path(inode))
            case .fdatasync(let inode): (line.what, line.path) = ("fdatasync", names.path(inode))
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
            (line.what, line.path) = ("write", names.path(inode))
            (line.offsetBytes, line.countBytes, line.data) = (offset, data.countBytes, data)
        case .truncate(let inode, let size):
            (line.what, line.path, line.sizeBytes) = ("truncate", names.path(inode), size)
        case .allocate(let inode, let offset, let count, let allocation):
            (line.what, line.path) = (Self.word(allocation), names.path(inode))
            (line.offsetBytes, line.countBytes) = (offset, count)
        case .create(_, let kind, let attributes, let entry):
            names.follow(change)
            (line.what, line.path) = (Self.word(kind), names.path(entry))
            line.detail = Self.words(attributes)
            if case .symbolicLink(let target) = kind { line.detail = "-> \(target)" }
        case .link(let inode, let entry):
            line.otherPath = names.path(inode)
            names.follow(change)
            (line.what, line.path) = ("link", names.path(entry))
        case .unlink(let entry):
            (line.what, line.path) = ("unlink", names.path(entry))
            names.follow(change)
        case .rename(let from, let to, let mode):
            line.what = mode == .exchange ? "exchange" : "rename"
            (line.path, line.otherPath) = (names.path(from), names.path(to))
            names.follow(change)
        case .setAttributes(let inode, let attributes):
            (line.what, line.path, line.detail) = ("chmod", names.path(inode), Self.words(attributes))
        case .setExtendedAttribute(.root, Recording.ignoredMark, nil):
            line.what = "a change of an ignored file"
        case .setExtendedAttribute(let inode, let name, let value):
            (line.what, line.path) = (value == nil ? "removexattr" : "setxattr", names.path(inode))
            line.detail = name.description + (value.map { " = \($0)" } ?? "")
        }
    }

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

import Bytes
import Model

/// The trace of a litmus script: its steps as the events that FaultFS would record.
package struct LitmusTrace {
    package private(set) var events: [TraceEvent] = []
    package let arena = PayloadArena()
    /// The events of each step of the run.
    package private(set) var eventsOfSteps: [Range<Int>] = []
    private var paths: [String: InodeID] = [".": .root]
    private var sizes: [InodeID: UInt64] = [:]
    private var nextInode: UInt64 = 2
    private var nextOperation: UInt64 = 1
    private var flights: [String: (id: OperationID, isBarrier: Bool, fails: Bool)] = [:]

    /// The trace of `script`: the base, a flush, the run.
    package init(_ script: LitmusScript) throws {
        for step in script.base { try take(step, step.words, script) }
        let id = newID()
        events += [.barrierBegan(id, .flush, process: 1), .barrierEnded(id, errno: 0)]
        for step in script.run {
            let begin = events.count
            try take(step, step.words, script)
            eventsOfSteps.append(begin..<events.count)
        }
    }

    private mutating func newID() -> OperationID {
        defer { nextOperation += 1 }
        return OperationID(nextOperation)
    }

    private mutating func take(_ step: LitmusScript.Step, _ words: [String], _ script: LitmusScript) throws {
        let here = "\(script.name):\(step.line)"
        switch words[0] {
        // The kernel may do these by itself at any time: no trace of the calls has them.
        case "commit": break
        case "write-back": _ = try inode(words[1], here)
        case "begin":
            try emit(Array(words.dropFirst(2)), here, flight: words[1])
        case "end":
            guard let flight = flights.removeValue(forKey: words[1]) else {
                throw LitmusError("\(here): nothing in flight is called \(words[1])")
            }
            events.append(
                flight.isBarrier ? .barrierEnded(flight.id, errno: flight.fails ? 5 : 0) : .completed(flight.id))
        default: try emit(words, here, flight: nil)
        }
    }

    private mutating func emit(_ words: [String], _ here: String, flight: String?) throws {
        var words = words
        let fails = words[0] == "fail"
        if fails { words.removeFirst() }
        if let barrier = try barrier(words, here) {
            let id = newID()
            events.append(.barrierBegan(id, barrier, process: 1))
            if let flight {
                flights[flight] = (id, true, fails)
            } else {
                events.append(.barrierEnded(id, errno: fails ? 5 : 0))
            }
            return
        }
        let forcesUnitAccess = words[0] == "write-fua"
        if forcesUnitAccess { words[0] = "write" }
        for change in try changes(words, here) {
            let id = newID()
            events.append(.operation(Operation(id: id, change, process: 1, isComplete: flight == nil)))
            if let flight { flights[flight] = (id, false, false) }
            guard forcesUnitAccess else { continue }
            let barrier = newID()
            events.append(.barrierBegan(barrier, .forceUnitAccess(id), process: 1))
            events.append(.barrierEnded(barrier, errno: fails ? 5 : 0))
        }
    }

    private func barrier(_ words: [String], _ here: String) throws -> Barrier? {
        switch words[0] {
        case "fsync": .fsync(try inode(words[1], here))
        case "fdatasync": .fdatasync(try inode(words[1], here))
        case "sync": .flush
        default: nil
        }
    }

    private func inode(_ path: String, _ here: String) throws -> InodeID {
        guard let inode = paths[path] else { throw LitmusError("\(here): no file is called \(path)") }
        return inode
    }

    private func entry(_ path: String, _ here: String) throws -> DirectoryEntry {
        guard let slash = path.lastIndex(of: "/") else { return DirectoryEntry(.root, ByteString(path)) }
        return DirectoryEntry(
            try inode(String(path[..<slash]), here), ByteString(String(path[path.index(after: slash)...])))
    }

    private mutating func changes(_ words: [String], _ here: String) throws -> [Change] {
        let path = words[1]
        func number(_ index: Int) -> UInt64 { UInt64(words[index]) ?? 0 }
        switch words[0] {
        case "create", "mkdir", "symlink":
            let new = InodeID(nextInode)
            nextInode += 1
            paths[path] = new
            let kind: NodeKind =
                words[0] == "mkdir"
                ? .directory : words[0] == "symlink" ? .symbolicLink(target: ByteString(words[2])) : .regular
            let mode: UInt32 = words[0] == "mkdir" ? 0o755 : 0o644
            let create = Change.create(new, kind, Attributes(mode: mode), at: try entry(path, here))
            guard words[0] == "create", words.count > 2 else { return [create] }
            return [create, write(new, 0, words[2...])]
        case "write":
            return [write(try inode(path, here), number(2), words[3...])]
        case "append":
            let file = try inode(path, here)
            return [write(file, sizes[file] ?? 0, words[2...])]
        case "truncate":
            let file = try inode(path, here)
            sizes[file] = number(2)
            return [.truncate(file, sizeBytes: number(2))]
        case "allocate", "allocate-keep-size", "punch", "zero", "zero-keep-size":
            return [try allocation(words, here)]
        case "link":
            paths[words[2]] = try inode(path, here)
            return [.link(try inode(path, here), at: try entry(words[2], here))]
        case "unlink", "rmdir":
            return [.unlink(try entry(path, here))]
        case "rename", "exchange":
            return [try rename(words, here)]
        case "chmod":
            return [.setAttributes(try inode(path, here), Attributes(mode: UInt32(words[2], radix: 8) ?? 0))]
        case "setxattr":
            return [
                .setExtendedAttribute(try inode(path, here), name: ByteString(words[2]), value: ByteString(words[3]))
            ]
        case "removexattr":
            return [.setExtendedAttribute(try inode(path, here), name: ByteString(words[2]), value: nil)]
        default: throw LitmusError("\(here): \(words[0]) is not an operation")
        }
    }

    private mutating func allocation(_ words: [String], _ here: String) throws -> Change {
        let file = try inode(words[1], here)
        let modes: [String: Allocation] = [
            "allocate": .extend, "allocate-keep-size": .keepSize, "punch": .punchHole, "zero": .zeroRange,
            "zero-keep-size": .zeroRangeKeepSize,
        ]
        let offset = UInt64(words[2]) ?? 0
        let count = UInt64(words[3]) ?? 0
        let mode = modes[words[0]]!
        if mode == .extend || mode == .zeroRange { sizes[file] = max(sizes[file] ?? 0, offset + count) }
        return .allocate(file, offsetBytes: offset, countBytes: count, mode)
    }

    private mutating func rename(_ words: [String], _ here: String) throws -> Change {
        let (from, to) = (words[1], words[2])
        let change = Change.rename(
            from: try entry(from, here), to: try entry(to, here), words[0] == "exchange" ? .exchange : .replace)
        let (source, target) = (try inode(from, here), paths[to])
        let prefix = from + "/"
        for (path, inode) in paths where path.hasPrefix(prefix) {
            paths[path] = nil
            paths[to + "/" + path.dropFirst(prefix.count)] = inode
        }
        paths[to] = source
        // The old path keeps naming what it named, so that a script can go on using an open file.
        if words[0] == "exchange" { paths[from] = target }
        return change
    }

    private mutating func write(_ file: InodeID, _ offset: UInt64, _ runs: ArraySlice<String>) -> Change {
        var bytes: [UInt8] = []
        for run in runs {
            let parts = run.split(separator: "*")
            let letter = parts[0].utf8.first!
            bytes += [UInt8](repeating: letter, count: parts.count > 1 ? Int(parts[1])! : 1)
        }
        sizes[file] = max(sizes[file] ?? 0, offset + UInt64(bytes.count))
        return .write(file, offsetBytes: offset, data: arena.store(bytes))
    }
}

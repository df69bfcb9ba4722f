import Bytes

/// The faults of an earlier run, by operation id, for a replay. It draws no random numbers and counts nothing.
///
/// An operation that differs from the script's (another kind, another path) gets no fault and counts as diverged: the replay
/// does not repeat the run.
public struct ScriptedFaults: Sendable {
    private struct Line: Hashable, Sendable {
        var kind: OperationKind
        var path: ByteString
        var fault: DrawnFault
    }

    private var lines: [OperationID: [Line]] = [:]
    public private(set) var needs = FaultNeeds()
    /// How many faults were injected.
    public private(set) var firedCount = 0
    /// The operations that differ from the script's.
    public private(set) var diverged: [OperationID] = []

    public init(_ faults: [InjectedFault]) {
        for fault in faults { add(fault.operation, Line(kind: fault.kind, path: fault.path, fault: fault.fault)) }
    }

    private mutating func add(_ id: OperationID, _ line: Line) {
        lines[id, default: []].append(line)
        // Every attempt must be reported, because any may diverge.
        needs.kinds = .all
        if line.fault == .stale { needs.olderBytes = true }
        if case .lose = line.fault { needs.syncedBytes = true }
    }

    /// The faults of the script, by operation id.
    public var faults: [InjectedFault] {
        lines.sorted { $0.key < $1.key }.flatMap { id, lines in
            lines.map { line in
                InjectedFault(
                    operation: id, kind: line.kind, path: line.path, fault: line.fault,
                    rule: ByteString("replayed: \(line.fault)"))
            }
        }
    }

    /// The number of faults in the script.
    public var count: Int { lines.values.reduce(0) { $0 + $1.count } }
}

extension ScriptedFaults: FaultSource {
    public func match(_ path: ByteString) -> PathMatch {
        PathMatch(path: path, ruleIndices: [], generation: 0, isEmpty: lines.isEmpty)
    }
    public func isCurrent(_ match: PathMatch) -> Bool { match.generation == 0 }

    public mutating func decide(_ attempt: Attempt, at path: PathMatch, and other: PathMatch?) -> Decisions {
        var decisions = Decisions()
        for line in lines[attempt.id] ?? [] {
            guard line.kind == attempt.kind, line.path == path.path else {
                if diverged.last != attempt.id { diverged.append(attempt.id) }
                continue
            }
            firedCount += 1
            decisions.add(.init(rule: ByteString("replayed: \(line.fault)"), line.fault))
        }
        return decisions
    }
}

extension ScriptedFaults: CustomStringConvertible {
    /// One line for each fault, in the order of the operation ids.
    public var description: String {
        lines.sorted { $0.key < $1.key }.flatMap { id, lines in
            lines.map { "\(id.scriptText) \($0.kind.name) path=\(Glob(exactly: $0.path)) -> \($0.fault)\n" }
        }.joined()
    }

    /// Parses the output of `description`, or the descriptions of `InjectedFault`s. Empty lines and comments are skipped.
    public init(parsing text: ByteString) throws(RuleError) {
        let split = text.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in split.enumerated() {
            var words = RuleWords(ByteString(line), lineNumber: index + 1)
            if words.isEmpty { continue }
            let (id, fault) = try Self.parse(&words)
            add(id, fault)
        }
    }

    private static func parse(_ words: inout RuleWords) throws(RuleError) -> (OperationID, Line) {
        let number = words.next()
        guard let number, let id = OperationID(scriptText: number.text) else {
            throw words.error(number, expected: "the id of an operation, such as 62 or read:4")
        }
        let name = words.next()
        guard let name, let kind = OperationKind(name: name.text) else {
            throw words.error(name, expected: "an operation, such as write")
        }
        let pathWord = words.next()
        guard let pathWord, pathWord.text.hasPrefix("path="),
            let path = Glob.literal(parsing: pathWord.dropFirst(5).bytes)
        else {
            throw words.error(pathWord, expected: "path= and the path of a file")
        }
        guard words.take("->") else { throw words.error(words.first, expected: "'->'") }
        let first = words.first
        var texts: [String] = []
        while let word = words.next() { texts.append(word.text) }
        guard let fault = DrawnFault(parsing: texts.joined(separator: " ")) else {
            throw words.error(
                first, expected: "a fault as a run records it, such as EIO, tear 512..1024 or bitflip 77.3")
        }
        return (id, Line(kind: kind, path: path, fault: fault))
    }
}

extension Glob {
    /// The only path that a pattern matches; nil if it matches several.
    fileprivate static func literal(parsing text: ByteString) -> ByteString? {
        guard let glob = try? Glob(parsing: text) else { return nil }
        var bytes: [UInt8] = []
        for element in glob.elements {
            guard case .byte(let byte) = element else { return nil }
            bytes.append(byte)
        }
        return ByteString(bytes)
    }
}

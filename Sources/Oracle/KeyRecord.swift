/// The validator's state for one key.
struct KeyRecord: Sendable {
    private(set) var versions = LiveVersions()
    /// Whether the key was dropped and its number may be reused.
    private(set) var isDropped = false
    /// Index of the key's `WatchedValue`; -1 for none.
    var watch: Int32 = -1
    /// Whether the key is in the validator's list of keys with operations in the current life.
    var isListed = false
    /// With the whole history: the versions after each line that changed them.
    private var log: VersionLog?
    /// With the whole history: each value of the key, with the begin line of its operation.
    var past: [(line: Int, payload: KeptPayload?)] = []

    /// With the whole history: operations whose outcome stays unknown (failed, or left open by an unobserved restart),
    /// by begin line, with the line from which on that holds.
    private var openBegins: [Int: Int] = [:]

    init(keepsEverything: Bool) { log = keepsEverything ? VersionLog() : nil }

    @inline(__always)
    @discardableResult
    mutating func apply(_ step: LiveVersions.Step, at line: Int) -> LiveVersions.Replacement? {
        let replacement = versions.apply(step)
        log?.note(step, at: line, leaving: versions)
        return replacement
    }

    /// From `line` on, the outcome of the operation that began at `begin` is unknown for good.
    mutating func noteOpen(begin: Int, from line: Int) { openBegins[begin] = line }

    /// Whether the outcome of that operation is unknown for good at `line`.
    func isOpen(begin: Int, at line: Int) -> Bool { openBegins[begin].map { $0 <= line } ?? false }

    mutating func drop() {
        versions = LiveVersions()
        isDropped = true
    }

    /// The versions after `line`, with the whole history; nil when no operation had named the key by then.
    func versions(after line: Int) -> [Version]? { log?.versions(after: line) }
}

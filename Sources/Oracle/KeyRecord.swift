/// What the validator knows of one key.
struct KeyRecord: Sendable {
    private(set) var versions = LiveVersions()
    /// Nothing is left of the key, and its number is free.
    private(set) var isDropped = false
    /// Index of what is watched of the key's history; -1 when nothing is.
    var watch: Int32 = -1
    /// Whether the validator has the key among those with operations of the present life.
    var isListed = false
    /// The whole history, when everything is kept: the versions after each line that changed them …
    private var log: VersionLog?
    /// … and each value that the key was ever asked to hold, with the line on which that began.
    var past: [(line: Int, payload: KeptPayload?)] = []

    /// Where operations began whose outcome stays open (refused, or left open by a restart that nobody observed), and the
    /// line from which on it does; when everything is kept.
    private var openBegins: [Int: Int] = [:]

    init(keepsEverything: Bool) { log = keepsEverything ? VersionLog() : nil }

    @inline(__always)
    @discardableResult
    mutating func apply(_ step: LiveVersions.Step, at line: Int) -> LiveVersions.Replacement? {
        let replacement = versions.apply(step)
        log?.note(step, at: line, leaving: versions)
        return replacement
    }

    /// The operation that began at `begin` may have happened or not, from `line` on.
    mutating func noteOpen(begin: Int, from line: Int) { openBegins[begin] = line }

    /// Whether it may by now.
    func isOpen(begin: Int, at line: Int) -> Bool { openBegins[begin].map { $0 <= line } ?? false }

    mutating func drop() {
        versions = LiveVersions()
        isDropped = true
    }

    /// The versions after line `line`, when everything is kept; nil when the key had not been named by then.
    func versions(after line: Int) -> [Version]? { log?.versions(after: line) }
}

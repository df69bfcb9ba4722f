/// The operations that may be the last one on a key, and those in flight, in begin order.
///
/// Operations that a certain one has replaced are pruned. With many overlapping operations pruning waits until the
/// array has doubled, so that a step costs amortised no more than a look-up, however many operations are in flight.
struct LiveVersions: Sendable {
    /// The effect of an oracle line on a key.
    enum Step: Sendable {
        /// An operation begins: it is in flight.
        case begin(Version)
        /// An acknowledgement without a begin line: it happened after all earlier operations.
        case replaceAll(Version)
        /// The operation that began at `begin` has ended. `isCertain`: it took effect; otherwise that is unknown.
        case answer(begin: Int, closed: Int, isCertain: Bool)
        /// The life of the store that began after line `lifeBegin` has ended, and with it the operations in flight.
        case restart(lifeBegin: Int, closed: Int)
        /// An observation decides the value of the key.
        case resolve(Version)
    }

    /// Sorted by `begin`. Some may be replaced already.
    private var stored: [Version] = [.absent]
    /// The latest begin line of a certain operation.
    private var lastCertainBegin = 0
    private var mayContainReplaced = false
    /// The size of `stored` after the last pruning.
    private var keptCount = 1

    /// Up to this size, replaced operations are pruned at once.
    private static let smallCount = 4

    /// All operations that may be the last one, and those in flight. Never empty; at least one is certain.
    var current: [Version] { mayContainReplaced ? remaining() : stored }

    var storedCount: Int { stored.count }

    /// Whether only a certain absence is left.
    var isOnlyCertainAbsence: Bool { stored.count == 1 && stored[0].kept == nil && stored[0].isCertain }

    /// The begin lines of operations in flight that began after `lifeBegin`, latest first. Does not visit older ones,
    /// of which earlier lives may have left many.
    func inFlight(after lifeBegin: Int) -> [Int] {
        stored.reversed().prefix { $0.begin > lifeBegin }.filter(\.isInFlight).map(\.begin)
    }

    /// The begin line of the operation `seq` in the life that began after `lifeBegin`, if it is in flight. Binary
    /// search: numbers rise within a life.
    func begin(ofInFlight seq: UInt64, lifeBegin: Int) -> Int? {
        var (low, high) = (0, stored.count)
        while low < high {
            let middle = (low + high) / 2
            if stored[middle].begin <= lifeBegin || stored[middle].seq < seq { low = middle + 1 } else { high = middle }
        }
        guard low < stored.count, stored[low].seq == seq, stored[low].isInFlight else { return nil }
        return stored[low].begin
    }

    /// An acknowledged put that was pruned, and the operation that replaced it.
    struct Replacement {
        var old: Version
        var new: Version
    }

    @discardableResult
    mutating func apply(_ step: Step) -> Replacement? {
        switch step {
        case .begin(let version):
            stored.append(version)
            return nil
        case .replaceAll(let version): return replaceAll(by: version).map { Replacement(old: $0, new: version) }
        case .answer(let begin, let closed, let isCertain):
            let index = indexOf(begin)
            answer(index, closed, isCertain)
            guard isCertain, stored.count > 1 else { return nil }
            let version = stored[index]
            return pruneIfDue().map { Replacement(old: $0, new: version) }
        case .restart(let lifeBegin, let closed):
            var index = stored.count
            while index > 0, stored[index - 1].begin > lifeBegin {
                index -= 1
                if stored[index].isInFlight { stored[index].closed = closed }
            }
            return nil
        case .resolve(let version):
            (stored, lastCertainBegin, mayContainReplaced, keptCount) = ([version], version.begin, false, 1)
            return nil
        }
    }

    private mutating func answer(_ index: Int, _ closed: Int, _ isCertain: Bool) {
        stored[index].closed = closed
        stored[index].isCertain = isCertain
        guard isCertain else { return }
        lastCertainBegin = max(lastCertainBegin, stored[index].begin)
        mayContainReplaced = true
    }

    private mutating func replaceAll(by version: Version) -> Version? {
        lastCertainBegin = version.begin
        guard stored.count == 1 else {
            stored.append(version)
            mayContainReplaced = true
            return pruneIfDue()
        }
        var old = version
        swap(&stored[0], &old)
        return old.kept == nil ? nil : old
    }

    private func indexOf(_ begin: Int) -> Int {
        var (low, high) = (0, stored.count)
        while low < high {
            let middle = (low + high) / 2
            if stored[middle].begin < begin { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func pruneIfDue() -> Version? {
        guard stored.count <= Self.smallCount || stored.count >= 2 * keptCount else { return nil }
        var pruned: Version?
        stored = remaining { if $0.isCertain && $0.kept != nil { pruned = $0 } }
        keptCount = stored.count
        mayContainReplaced = false
        return pruned
    }

    /// The operations that no certain one has replaced; calls `forget` for each other one.
    private func remaining(_ forget: (Version) -> Void = { _ in }) -> [Version] {
        let lastOfBatch = stored.lastCertainBeginOfBatch
        return stored.filter { version in
            let isReplaced =
                !version.isInFlight
                && (lastCertainBegin > version.closed || lastOfBatch[version.batch] ?? 0 > version.begin)
            if isReplaced { forget(version) }
            return !isReplaced
        }
    }
}

/// The operations that may be their key's last one, and those in flight, in the order in which they began.
///
/// What a certain operation replaces is forgotten, but not at once where many overlap: the array is gone through when it
/// has doubled, so that each step costs no more than a look-up on average, however many operations are in flight on
/// one key.
struct LiveVersions: Sendable {
    /// What a line of the oracle does to a key.
    enum Step: Sendable {
        /// An operation begins: it is in flight.
        case begin(Version)
        /// An acknowledgement without a begin line: it happened after everything before it.
        case replaceAll(Version)
        /// The operation that began at `begin` is over, and certain to have taken effect or not.
        case answer(begin: Int, closed: Int, isCertain: Bool)
        /// The life of the store that began after line `lifeBegin` is over, and what was in flight with it.
        case restart(lifeBegin: Int, closed: Int)
        /// An observation settles the key.
        case settle(Version)
    }

    /// In the order of `begin`; some may be replaced.
    private var stored: [Version] = [.nothing]
    /// Where the certain operation began that began last.
    private var lastCertainBegin = 0
    private var mayHoldReplaced = false
    /// How many were left when `stored` was last gone through.
    private var keptCount = 1

    /// Up to here replaced operations are forgotten at once.
    private static let smallCount = 4

    /// Every operation that may be the last one, and those in flight: never empty, at least one certain.
    var current: [Version] { mayHoldReplaced ? remaining() : stored }

    var storedCount: Int { stored.count }

    /// Whether nothing but an acknowledged absence is left.
    var isOnlyCertainAbsence: Bool { stored.count == 1 && stored[0].kept == nil && stored[0].isCertain }

    /// Where the operations in flight began that began after line `lifeBegin`, the latest first. It looks at no others: what
    /// earlier lives left open may be many times as much.
    func inFlight(after lifeBegin: Int) -> [Int] {
        stored.reversed().prefix { $0.begin > lifeBegin }.filter(\.isInFlight).map(\.begin)
    }

    /// Where the operation `seq` of the life that began after line `lifeBegin` began, if it is in flight. Within a life
    /// numbers rise.
    func begin(ofInFlight seq: UInt64, lifeBegin: Int) -> Int? {
        var (low, high) = (0, stored.count)
        while low < high {
            let middle = (low + high) / 2
            if stored[middle].begin <= lifeBegin || stored[middle].seq < seq { low = middle + 1 } else { high = middle }
        }
        guard low < stored.count, stored[low].seq == seq, stored[low].isInFlight else { return nil }
        return stored[low].begin
    }

    /// An acknowledged put that the key has forgotten, and the operation that brought that about.
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
            return forgetIfDue().map { Replacement(old: $0, new: version) }
        case .restart(let lifeBegin, let closed):
            var index = stored.count
            while index > 0, stored[index - 1].begin > lifeBegin {
                index -= 1
                if stored[index].isInFlight { stored[index].closed = closed }
            }
            return nil
        case .settle(let version):
            (stored, lastCertainBegin, mayHoldReplaced, keptCount) = ([version], version.begin, false, 1)
            return nil
        }
    }

    private mutating func answer(_ index: Int, _ closed: Int, _ isCertain: Bool) {
        stored[index].closed = closed
        stored[index].isCertain = isCertain
        guard isCertain else { return }
        lastCertainBegin = max(lastCertainBegin, stored[index].begin)
        mayHoldReplaced = true
    }

    private mutating func replaceAll(by version: Version) -> Version? {
        lastCertainBegin = version.begin
        guard stored.count == 1 else {
            stored.append(version)
            mayHoldReplaced = true
            return forgetIfDue()
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

    private mutating func forgetIfDue() -> Version? {
        guard stored.count <= Self.smallCount || stored.count >= 2 * keptCount else { return nil }
        var forgotten: Version?
        stored = remaining { if $0.isCertain && $0.kept != nil { forgotten = $0 } }
        keptCount = stored.count
        mayHoldReplaced = false
        return forgotten
    }

    /// What no certain operation replaces; each other one is handed to `forget`.
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

/// What the validator knows of one key.
struct KeyRecord: Sendable {
    /// Every operation that may be the key's last one, and those in flight; never empty, at least one certain.
    var versions: [Version] = [.nothing]
    /// Index of what is watched of the key's history; -1 when nothing is.
    var watch: Int32 = -1
    /// The whole history, when everything is kept: the versions after each line that changed them …
    var log: [(line: Int, versions: [Version])] = []
    /// … and each value that the key was ever asked to hold, with the line on which that began.
    var past: [(line: Int, payload: [UInt8]?)] = []

    /// The versions after line `line`; nil when the key had not been named by then.
    func versions(after line: Int) -> [Version]? {
        var low = 0
        var high = log.count
        while low < high {
            let middle = (low + high) / 2
            if log[middle].line <= line { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : log[low - 1].versions
    }

    /// An answer: the operation is over, and `certain` to have taken effect or not. What it replaces is forgotten;
    /// the last certain put among that is returned.
    mutating func close(_ index: Int, at line: Int, certain: Bool) -> Version? {
        versions[index].closed = line
        versions[index].isCertain = certain
        return certain && versions.count > 1 ? forget(whatIsReplacedBy: versions[index]) : nil
    }

    /// A plain acknowledgement: it happened after everything before it.
    mutating func replaceAll(by version: Version) -> Version? {
        guard versions.count == 1 else {
            versions.append(version)
            return forget(whatIsReplacedBy: version)
        }
        var old = version
        swap(&versions[0], &old)
        return old.payload == nil ? nil : old
    }

    private mutating func forget(whatIsReplacedBy version: Version) -> Version? {
        var forgotten: Version?
        var kept = 0
        for index in versions.indices {
            let other = versions[index]
            if !other.isInFlight && version.replaces(other, .realTime) {
                if other.isCertain && other.payload != nil { forgotten = other }
                continue
            }
            if kept != index { versions.swapAt(kept, index) }
            kept += 1
        }
        versions.removeLast(versions.count - kept)
        return forgotten
    }
}

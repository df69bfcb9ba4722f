import Bytes
import Model
import Platform

/// The state of one file of a `FaultyStorage`, across renames and opens.
final class FaultyNode: Sendable {
    /// The file's name and the rules that match it. Change it only under the storage's lock.
    struct NameMatch {
        var name: ByteString
        var match: PathMatch
        /// The version of the fault source that `match` was computed from.
        var epoch: Int
    }

    let nameMatch: Guarded<NameMatch>
    let content: Guarded<CachedContent>

    init(_ nameMatch: NameMatch) {
        self.nameMatch = Guarded(nameMatch)
        content = Guarded(CachedContent())
    }

    var name: ByteString { nameMatch.withLock { $0.name } }
}

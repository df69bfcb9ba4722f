import Bytes
import Model

/// What `FaultyStorage` knows of one file, whatever its name and however often it is open.
final class FaultyNode: Sendable {
    /// The name and the rules for it. Touched under the storage's lock alone.
    struct Place {
        var name: ByteString
        var match: PathMatch
        /// How often the source of faults had been changed when the match was made.
        var epoch: Int
    }

    let place: Guarded<Place>
    let content: Guarded<CachedContent>

    init(_ place: Place) {
        self.place = Guarded(place)
        content = Guarded(CachedContent())
    }

    var name: ByteString { place.withLock { $0.name } }
}

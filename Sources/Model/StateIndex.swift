/// A map from the hashes of states to small numbers: what an exploration has met. Open addressing; 20 bytes a place, of
/// which at most three quarters are taken, so that ten million states take some 340 MB.
///
/// Nothing is ever removed. Not thread safe.
package struct StateIndex: Sendable {
    private static let free = Int32.min

    private var hashes: [StateHash]
    private var numbers: [Int32]
    private var mask: Int
    package private(set) var count = 0

    package init() {
        hashes = Array(repeating: .zero, count: 1024)
        numbers = Array(repeating: StateIndex.free, count: 1024)
        mask = 1023
    }

    /// The number of `hash`, which may be anything but the smallest `Int32`; nil when it was not met.
    package subscript(_ hash: StateHash) -> Int32? {
        get {
            let place = place(of: hash)
            return numbers[place] == StateIndex.free ? nil : numbers[place]
        }
        set {
            guard let number = newValue else { return }
            let place = place(of: hash)
            if numbers[place] == StateIndex.free {
                count += 1
                hashes[place] = hash
            }
            numbers[place] = number
            if count * 4 > (mask + 1) * 3 { grow() }
        }
    }

    @inline(__always)
    private func place(of hash: StateHash) -> Int {
        // The low word is mixed well enough to be a place.
        var place = Int(truncatingIfNeeded: hash.low) & mask
        while numbers[place] != StateIndex.free, hashes[place] != hash { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        let (oldHashes, oldNumbers) = (hashes, numbers)
        mask = 2 * mask + 1
        hashes = Array(repeating: .zero, count: mask + 1)
        numbers = Array(repeating: StateIndex.free, count: mask + 1)
        for (hash, number) in zip(oldHashes, oldNumbers) where number != StateIndex.free {
            let place = place(of: hash)
            hashes[place] = hash
            numbers[place] = number
        }
    }
}

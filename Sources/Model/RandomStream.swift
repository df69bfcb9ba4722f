import Bytes

/// A stream of random numbers, named by a seed and keys. Draws from one stream do not affect another.
///
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014) with 64 bits of state:
/// good enough to choose faults, not for secrets. The same name gives the same stream on every machine.
public struct RandomStream: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = RandomStream.mix(seed &+ 0x9E37_79B9_7F4A_7C15) }

    /// The child stream named by `key`. Does not draw from this stream.
    public func stream(_ key: UInt64) -> RandomStream {
        var child = self
        child.state = RandomStream.mix(state ^ RandomStream.mix(key &+ 0xD1B5_4A32_D192_ED03))
        return child
    }

    /// The child stream named by the bytes of `key`. Does not draw from this stream.
    public func stream(_ key: ByteString) -> RandomStream {
        var child = stream(UInt64(key.count))
        for byte in key.bytes { child.state = RandomStream.mix(child.state ^ UInt64(byte)) }
        return child
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return RandomStream.mix(state)
    }

    /// True with a probability of `numerator`/`denominator`.
    public mutating func chance(_ numerator: UInt64, in denominator: UInt64) -> Bool {
        next(upperBound: denominator) < numerator
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

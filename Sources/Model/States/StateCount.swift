/// A number of crash states, of any size: an epoch with 94 unsynced changes may have 2^94 states.
package struct StateCount: Hashable, Sendable {
    /// The digits to base 2^32, the lowest first, without leading zeros.
    private var digits: [UInt32] = []

    package init(_ value: Int) {
        var rest = UInt64(max(0, value))
        while rest > 0 {
            digits.append(UInt32(truncatingIfNeeded: rest))
            rest >>= 32
        }
    }

    /// The number, or `Int.max / 2` if it is larger.
    package var clamped: Int {
        guard digits.count < 2 || digits.count == 2 && digits[1] < 1 << 29 else { return .max / 2 }
        return digits.reversed().reduce(0) { $0 << 32 | Int($1) }
    }

    package static func + (left: Self, right: Self) -> Self {
        var sum = Self(0)
        var carry: UInt64 = 0
        for place in 0..<max(left.digits.count, right.digits.count) {
            carry += place < left.digits.count ? UInt64(left.digits[place]) : 0
            carry += place < right.digits.count ? UInt64(right.digits[place]) : 0
            sum.digits.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        if carry > 0 { sum.digits.append(UInt32(carry)) }
        return sum
    }

    package static func += (left: inout Self, right: Self) { left = left + right }

    package static func * (left: Self, right: Self) -> Self {
        var product = Self(0)
        product.digits = [UInt32](repeating: 0, count: left.digits.count + right.digits.count)
        for (place, one) in left.digits.enumerated() {
            var carry: UInt64 = 0
            for (other, two) in right.digits.enumerated() {
                carry += UInt64(one) * UInt64(two) + UInt64(product.digits[place + other])
                product.digits[place + other] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            product.digits[place + right.digits.count] = UInt32(carry)
        }
        while product.digits.last == 0 { product.digits.removeLast() }
        return product
    }
}

extension StateCount: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        if left.digits.count != right.digits.count { return left.digits.count < right.digits.count }
        return left.digits.reversed().lexicographicallyPrecedes(right.digits.reversed())
    }
}

/// All digits in decimal.
extension StateCount: LosslessStringConvertible {
    package init?(_ text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        self = text.utf8.reduce(Self(0)) { $0 * Self(10) + Self(Int($1) - 48) }
    }

    package var description: String {
        var rest = digits
        var text: [String] = []
        while !rest.isEmpty {
            var remainder: UInt64 = 0
            for place in rest.indices.reversed() {
                remainder = remainder << 32 | UInt64(rest[place])
                rest[place] = UInt32(remainder / 1_000_000_000)
                remainder %= 1_000_000_000
            }
            while rest.last == 0 { rest.removeLast() }
            let group = String(remainder)
            text.append(rest.isEmpty ? group : String(repeating: "0", count: 9 - group.count) + group)
        }
        return text.isEmpty ? "0" : text.reversed().joined()
    }
}

/// A string, because JSON numbers of this size lose their last digits.
extension StateCount: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let count = StateCount(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a number")
        }
        self = count
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

import Bytes
import Testing

@testable import Oracle

@Suite struct KeyTableTests {
    /// Compared with a Dictionary: keys that are prefixes of each other, empty or long; added, removed, added again.
    @Test func `behaves like a Dictionary`() {
        var random = Seeded(11)
        var table = KeyTable()
        var model: [ByteString: Int] = [:]
        let keys = (0..<700).map { ByteString(Array(repeating: UInt8($0 % 7), count: $0 / 7)) }
        for round in 0..<40_000 {
            let key = keys.randomElement(using: &random)!
            #expect(table.number(of: key) == model[key])
            // Fill and empty repeatedly, to cover growing, holes and compaction.
            let isFilling = round / 5_000 % 2 == 0
            if let number = model[key] {
                #expect(table[number] == key)
                guard random.chance(isFilling ? 1 : 4, in: 5) else { continue }
                table.remove(number)
                model[key] = nil
            } else if random.chance(isFilling ? 4 : 1, in: 5) {
                let number = table.add(key)
                #expect(!model.values.contains(number))
                model[key] = number
            }
        }
        for key in keys { #expect(table.number(of: key) == model[key]) }
    }

    /// Keys of sixteen bytes with the same quick hash: the second half cancels the first.
    @Test func `colliding keys switch to the seeded hash`() {
        func multiplied(_ word: UInt64) -> UInt64 {
            let product = word.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            return product.high ^ product.low ^ 0xA076_1D64_78BD_642F
        }
        var table = KeyTable()
        var keys: [ByteString] = []
        for number in UInt64(0)..<1000 {
            let second = multiplied(16 &* 0x9E37_79B9_7F4A_7C15 ^ number)
            let bytes = [number, second].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
            keys.append(ByteString(bytes))
            #expect(table.add(keys[Int(number)]) == Int(number))
        }
        #expect(table.usesSeededHash)
        for (number, key) in keys.enumerated() { #expect(table.number(of: key) == number && table[number] == key) }
        table.remove(500)
        #expect(table.number(of: keys[500]) == nil && table.number(of: keys[501]) == 501)
        // Ordinary keys keep the quick hash.
        var usual = KeyTable()
        for number in 0..<20_000 { _ = usual.add(ByteString("key-\(number)")) }
        #expect(!usual.usesSeededHash)
    }
}

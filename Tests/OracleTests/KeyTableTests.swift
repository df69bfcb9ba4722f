import Bytes
import Testing

@testable import Oracle

@Suite struct KeyTableTests {
    /// Against a Dictionary: keys that are prefixes of each other, empty, long; added, removed, added again.
    @Test func behavesAsADictionaryOfKeysThatComeAndGo() {
        var random = Seeded(11)
        var table = KeyTable()
        var model: [ByteString: Int] = [:]
        let keys = (0..<700).map { ByteString(Array(repeating: UInt8($0 % 7), count: $0 / 7)) }
        for round in 0..<40_000 {
            let key = keys.randomElement(using: &random)!
            #expect(table.number(of: key) == model[key])
            // Fill up, then empty, again and again: growing, holes and squeezing all happen.
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
}

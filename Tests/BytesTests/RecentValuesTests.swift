import Bytes
import Testing

@Suite struct RecentValuesTests {
    @Test func `recently used values are kept, and each other value is evicted once`() {
        var recent = RecentValues<Int, Int>(limitBytes: 100)
        var gone: [Int] = []
        for number in 0..<1000 {
            for (key, value) in recent.insert(number * 2, for: number, sizeBytes: 10) {
                #expect(value == key * 2)
                gone.append(key)
            }
            #expect(recent.count <= 11, "ten values fill it")
            #expect(recent.value(of: number) == number * 2)
            // A value that is accessed repeatedly stays.
            #expect(recent.value(of: 0) == 0)
        }
        #expect(Set(gone).count == gone.count && !gone.contains(0))
        for number in 0..<1000 { #expect((recent.value(of: number) == nil) == gone.contains(number)) }
    }

    @Test func `inserting a key again replaces its value`() {
        var recent = RecentValues<String, Int>(limitBytes: 10)
        recent.insert(1, for: "a", sizeBytes: 4)
        recent.insert(2, for: "b", sizeBytes: 4)
        recent.insert(3, for: "a", sizeBytes: 1)
        #expect(recent.value(of: "a") == 3 && recent.value(of: "b") == 2)
        recent.remove("a")
        #expect(recent.value(of: "a") == nil && recent.count == 1)
    }

    @Test func `a value larger than the limit is kept until the next insertion`() {
        var recent = RecentValues<Int, Int>(limitBytes: 10)
        #expect(recent.insert(1, for: 1, sizeBytes: 1000).isEmpty)
        #expect(recent.value(of: 1) == 1)
        recent.insert(2, for: 2, sizeBytes: 1000)
        #expect(recent.insert(3, for: 3, sizeBytes: 1000).map(\.key) == [1])
    }
}

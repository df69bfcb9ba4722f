import Bytes
import Engine
import Storage
import Testing

/// How many files a store keeps open.
@Suite struct DescriptorTests {
    @Test func `a store of many segments keeps few of them open`() throws {
        let storage = CountedStorage()
        let options = KeyValueOptions(log: LogOptions(segmentSizeBytes: 4096, zeroAheadBytes: 0))
        let store = try KeyValueStore.open(storage: storage, options: options)
        // A segment each, and more than a hundred of them.
        let value = [UInt8](repeating: 7, count: 3000)
        for index in 0..<150 { try store.put(ByteString("k\(index)"), value + [UInt8(index)]) }
        #expect(storage.list().count >= 150)
        for round in 0..<2 {
            for index in 0..<150 {
                let key = round == 0 ? index : 149 - index
                #expect(try store.get(ByteString("k\(key)")) == value + [UInt8(key)])
                #expect(storage.openCount.withLock { $0 } <= 64)
            }
            #expect(storage.openCount.withLock { $0 } > 32, "it keeps those that it will need")
        }
        try store.compact()
        #expect(storage.openCount.withLock { $0 } == 0, "segments that were removed are closed")
        for index in 0..<150 { #expect(try store.get(ByteString("k\(index)")) == value + [UInt8(index)]) }
        try store.close()
        #expect(storage.openCount.withLock { $0 } == 0)
    }
}

import Bytes
import Foundation
import Model
import Synchronization
import Testing

@testable import Storage

/// The events of a long trace, read from its file, equal the same events in memory.
@Suite struct EventListTests {
    private let temporary: TemporaryDirectory
    private let path: ByteString

    init() throws {
        temporary = try TemporaryDirectory()
        path = temporary.path.appending(component: "trace")
    }

    /// Writes a trace of `count` events with data of different lengths.
    private func write(_ count: Int) throws {
        var writer = try TraceWriter(creating: path)
        var base = Tree()
        base.nodes[InodeID(2)] = Node(kind: .regular, attributes: Attributes(mode: 0o600))
        base.nodes[.root]?.entries["f"] = InodeID(2)
        try writer.append(base: base, from: PayloadArena())
        for number in 0..<count {
            let data = [UInt8](repeating: UInt8(number % 251), count: number % 97 + 1)
            let write = Change.write(
                InodeID(2), offsetBytes: UInt64(number), data: Payload(offsetBytes: 0, countBytes: UInt64(data.count)))
            let id = OperationID(UInt64(number + 1))
            let event =
                number % 5 == 0
                ? TraceEvent.barrierBegan(id, .fsync(InodeID(2)), process: 1) : .operation(Operation(id: id, write))
            _ = try data.withUnsafeBytes {
                try writer.append(event, data: number % 5 == 0 ? .init(start: nil, count: 0) : $0)
            }
        }
        try writer.finish()
    }

    @Test(arguments: [0, 1, 255, 256, 257, 1300])
    func `events in the file are the events in memory, however they are asked for`(count: Int) throws {
        try write(count)
        let inMemory = try TraceReader(path: path).load()
        let (base, events, _) = try TraceReader(path: path).load(keepingAtMost: 0) { _ in Issue.record("no disk failed")
        }
        #expect(base == inMemory.base)
        #expect(events.count == count && Array(events) == inMemory.events)
        for place in [0, count / 2, count - 1] where events.indices.contains(place) {
            #expect(events[place] == inMemory.events[place])
            #expect(Array(events[place...]) == Array(inMemory.events[place...]))
            #expect(Array(events[..<place]) == Array(inMemory.events[..<place]))
            #expect(events[place...].first == inMemory.events[place])
        }
        let few = try TraceReader(path: path).load(keepingAtMost: count) { _ in }.events
        #expect(Array(few) == inMemory.events)
    }

    @Test func `a file that is damaged later on is an error, and no trap`() throws {
        try write(1300)
        let failures = Mutex<[String]>([])
        let (_, events, _) = try TraceReader(path: path).load(keepingAtMost: 0) { error in
            failures.withLock { $0.append("\(error)") }
        }
        let file = try FileHandle(forWritingTo: URL(filePath: "\(path)"))
        try file.truncate(atOffset: 20_000)
        try file.close()
        #expect(Array(events).count == 1300)
        #expect(failures.withLock { $0.count } > 0 && failures.withLock { $0[0].contains("trace") })
    }
}

import Bytes
import Platform
import Storage
import Testing

@testable import Engine
@testable import Events

/// When batches are written, and which threads wait for them. CI also runs these under the thread sanitizer.
@Suite struct EventBatchTests {
    private let counting = FailingCalls(.sync)
    private let memory = MemoryStorage()
    private let clock = TestClock()

    private func open(
        count: Int = 1 << 20, sizeBytes: Int = 1 << 30, delayMilliseconds: Int = 3_600_000
    ) throws -> EventStore {
        let options = EventOptions(
            log: LogOptions(segmentSizeBytes: 1 << 20), batchCount: count, batchSizeBytes: sizeBytes,
            batchDelayMilliseconds: delayMilliseconds, duplicateWindowSeconds: 100)
        return try EventStore.open(storage: InterposedStorage(memory, counting), options: options, clock: clock)
    }

    @Test func `a full batch is written immediately`() throws {
        let store = try open(count: 10)
        let before = counting.count(.sync)
        #expect(try store.append(contentsOf: (1...30).map { event($0) }) == Array(1...30))
        #expect(counting.count(.sync) == before + 3)
    }

    @Test func `a batch is also full by its bytes`() throws {
        let size = Frame.size(keyCount: event(1).entity.count, payloadCount: EventRecord.fixedPayloadBytes + 4)
        let store = try open(sizeBytes: 5 * size)
        let before = counting.count(.sync)
        try store.append(contentsOf: (1...15).map { event($0) })
        #expect(counting.count(.sync) == before + 3)
    }

    @Test func `a batch that does not fill is written after the delay`() throws {
        let store = try open(delayMilliseconds: 50)
        let began = MonotonicTime.nanoseconds()
        #expect(try store.append(event(1)) == 1)
        #expect(MonotonicTime.nanoseconds() - began >= 50_000_000)
        let before = counting.count(.sync)
        try inParallel(4) { number in try store.append(event(10 + number)) }
        #expect((1...4).contains(counting.count(.sync) - before))
        #expect(store.lastSequence == 5)
    }

    @Test func `a flush writes the current batch`() throws {
        let store = try open()
        let sequences = Guarded<[UInt64]>([])
        try inParallel(4) { number in
            if number == 3 {
                // Until the three others are through.
                while sequences.withLock({ $0.count < 3 }) { try store.flush() }
            } else {
                let sequence = try store.append(event(number))
                sequences.withLock { $0.append(sequence) }
            }
        }
        #expect(sequences.withLock { $0.sorted() } == [1, 2, 3])
    }

    @Test func `closing writes the current batch`() throws {
        let store = try open()
        let outcome = Guarded<[Result<UInt64, EngineError>]>([])
        try inParallel(2) { number in
            if number == 0 {
                do throws(EngineError) {
                    let sequence = try store.append(event(1))
                    outcome.withLock { $0.append(.success(sequence)) }
                } catch {
                    outcome.withLock { $0.append(.failure(error)) }
                }
            } else {
                try store.close()
            }
        }
        let again = try EventStore.open(storage: memory, options: eager, clock: clock)
        switch try #require(outcome.withLock { $0.first }) {
        case .success(let sequence): #expect(sequence == 1 && again.lastSequence == 1)
        case .failure(let error): #expect(error == .closed && again.lastSequence == 0)
        }
    }

    @Test func `ten threads with a hundred distinct events each are all accepted`() throws {
        for delay in [0, 1] {
            let store = try EventStore.open(
                storage: MemoryStorage(), options: EventOptions(batchCount: 16, batchDelayMilliseconds: delay),
                clock: clock)
            let all = Guarded<[UInt64]>([])
            try inParallel(10) { thread in
                for number in 0..<100 {
                    let sequence = try store.append(event(number, type: ByteString("thread \(thread)")))
                    all.withLock { $0.append(sequence) }
                }
            }
            #expect(all.withLock { $0.sorted() } == Array(1...1000))
            #expect(Set(try store.list().map(\.event)).count == 1000)
        }
    }

    @Test func `of many threads with the same event one gets the sequence number`() throws {
        let store = try open(count: 3, delayMilliseconds: 1)
        for number in 1...50 {
            let got = Guarded<[UInt64]>([])
            try inParallel(6) { _ in
                let sequence = try store.append(event(number))
                got.withLock { $0.append(sequence) }
            }
            #expect(got.withLock { $0.sorted() } == [0, 0, 0, 0, 0, UInt64(number)])
        }
    }

    /// The sync waits until the duplicate has come; then it fails, and both hear of it.
    @Test(arguments: [true, false]) func `a duplicate waits for its original and shares its result`(_ fails: Bool)
        throws
    {
        let held = HeldSync(fails: fails)
        var options = eager
        options.batchCount = 1
        let store = try EventStore.open(storage: InterposedStorage(memory, held), options: options, clock: clock)
        held.isArmed.withLock { $0 = true }
        let outcomes = Guarded<[Result<UInt64, EngineError>]>([])
        try inParallel(3) { thread in
            if thread == 2 {
                // Both others are in: one writes, the other must wait. Nothing that it does could be seen from here, so
                // give it the time to do it wrong.
                held.waitUntilHeld()
                usleepMilliseconds(30)
                #expect(outcomes.withLock { $0.isEmpty }, "nothing is said before the original is durable")
                return held.release()
            }
            if thread == 1 { held.waitUntilHeld() }
            do throws(EngineError) {
                let sequence = try store.append(event(1))
                outcomes.withLock { $0.append(.success(sequence)) }
            } catch {
                outcomes.withLock { $0.append(.failure(error)) }
            }
        }
        let seen = outcomes.withLock { $0 }
        #expect(seen.count == 2)
        for outcome in seen {
            switch outcome {
            case .success(let sequence): #expect(!fails && sequence <= 1)
            case .failure(let error):
                guard case .poisoned = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(fails)
            }
        }
        if !fails { #expect(Set(seen) == [.success(0), .success(1)]) }
    }
}

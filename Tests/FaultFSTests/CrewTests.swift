import Glibc
import Synchronization
import Testing

@testable import FaultFS

/// Requests that are closures, in a queue in place of the kernel's.
private final class Requests: @unchecked Sendable {
    private let lock = Lock()
    private let arrival = Condition()
    private var waiting: [@Sendable () -> Void] = []
    private var isClosed = false
    /// What the crew is told when it asks whether requests wait.
    let isBehind = Atomic<Bool>(false)
    let hasEnded = Atomic<Bool>(false)

    func add(_ request: @escaping @Sendable () -> Void) {
        lock.withLock {
            waiting.append(request)
            arrival.wakeOne()
        }
    }

    func close() {
        lock.withLock {
            isClosed = true
            arrival.wakeAll()
        }
    }

    private func next() -> (@Sendable () -> Void)? {
        lock.withLock {
            while waiting.isEmpty, !isClosed { arrival.wait(lock) }
            return waiting.isEmpty ? nil : waiting.removeFirst()
        }
    }

    func crew(_ size: Crew.Size, limit: Int = 4) -> Crew {
        Crew(
            size, limit: limit, isBehind: { [self] in isBehind.load(ordering: .relaxed) },
            onEnd: { [self] in hasEnded.store(true, ordering: .relaxed) },
            body: { [self] crew in
                while crew.attend(), let request = next() {
                    crew.began()
                    request()
                    crew.ended()
                }
            })
    }
}

/// Whether it becomes true; it is given long, and asked often.
private func comesTrue(_ condition: () -> Bool) -> Bool {
    for _ in 0..<10_000 {
        if condition() { return true }
        usleep(1000)
    }
    return false
}

struct CrewTests {
    @Test(arguments: [Crew.Size.few, .ample])
    func aRequestMayWaitForAnother(_ size: Crew.Size) throws {
        let requests = Requests()
        let crew = requests.crew(size)
        try crew.start()
        let isServed = Atomic<Bool>(false)
        let waited = Atomic<Bool>(false)
        requests.add { waited.store(comesTrue { isServed.load(ordering: .relaxed) }, ordering: .relaxed) }
        requests.add { isServed.store(true, ordering: .relaxed) }
        #expect(comesTrue { waited.load(ordering: .relaxed) })
        requests.close()
        #expect(comesTrue { !crew.isServing })
        crew.join()
        let hasEnded = requests.hasEnded.load(ordering: .relaxed)
        #expect(hasEnded)
    }

    @Test func fewServeWhereNothingWaits() throws {
        let requests = Requests()
        let crew = requests.crew(.few)
        try crew.start()
        let served = Atomic<Int>(0)
        for _ in 0..<200 {
            requests.add { served.add(1, ordering: .relaxed) }
            usleep(200)
        }
        #expect(comesTrue { served.load(ordering: .relaxed) == 200 })
        #expect(crew.attendance == 1)
        requests.close()
        #expect(comesTrue { !crew.isServing })
        crew.join()
    }

    /// While it falls behind, threads come, no more than the limit; when it no longer does, they rest, and leave with the
    /// others at the end.
    @Test func threadsComeAndRest() throws {
        let requests = Requests()
        let crew = requests.crew(.few, limit: 3)
        try crew.start()
        requests.isBehind.store(true, ordering: .relaxed)
        func feed() {
            for _ in 0..<8 { requests.add { usleep(300) } }
            usleep(500)
        }
        var most = 0
        #expect(
            comesTrue {
                feed()
                most = max(most, crew.attendance)
                return most == 3
            })
        requests.isBehind.store(false, ordering: .relaxed)
        #expect(
            comesTrue {
                requests.add {}
                return crew.attendance == 1
            })
        requests.close()
        #expect(comesTrue { !crew.isServing })
        crew.join()
    }

    /// A mount that nobody uses costs nothing; the next request is watched again.
    @Test func nobodyLooksWhileNothingHappens() throws {
        let requests = Requests()
        let crew = requests.crew(.few)
        try crew.start()
        #expect(comesTrue { !crew.isWatched })
        let isServed = Atomic<Bool>(false)
        requests.add { _ = comesTrue { isServed.load(ordering: .relaxed) } }
        #expect(comesTrue { crew.isWatched })
        requests.add { isServed.store(true, ordering: .relaxed) }
        #expect(comesTrue { isServed.load(ordering: .relaxed) && !crew.isWatched })
        requests.close()
        #expect(comesTrue { !crew.isServing })
        crew.join()
    }
}

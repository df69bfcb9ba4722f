import FaultFS
import Schedules

/// The requests of a mount, in place of the kernel's: numbered, first in, first out. Each operation is one step.
final class RequestQueue: @unchecked Sendable {
    /// How long a request takes.
    enum Request: Hashable, Sendable {
        case immediate
        /// Until another request has been answered, which waits in the queue meanwhile.
        case until(answerOf: Int)
        /// Until the pool's monitor has seen that requests are queued, unless none is, or another worker serves, too.
        case untilSeen
        case milliseconds(UInt64)
    }

    private let requests: [Request]
    private let object = ScheduledObject(synchronises: true)
    private var waiting: [Int] = []
    private var isClosed = false
    private var interruptCount = 0
    private var outOfMemoryCount: Int
    private(set) var taken: [Int] = []
    private(set) var answered: [Int] = []
    /// How often the pool has reported its end.
    private(set) var endCount = 0
    /// When the monitor asked for the backlog, in virtual time, and what it heard.
    private(set) var questions: [(nanoseconds: UInt64, hasBacklog: Bool)] = []

    /// - Parameter outOfMemoryCount: so many times there is no memory to receive a request.
    init(_ requests: [Request], outOfMemoryCount: Int) {
        self.requests = requests
        self.outOfMemoryCount = outOfMemoryCount
    }

    // MARK: The client's side

    func add(_ numbers: Int...) {
        ScheduledObject.step("send \(numbers)", writing: [object]) { waiting += numbers }
    }

    /// Ends the workers' waits when no request is left: the filesystem is unmounted.
    func close() { ScheduledObject.step("unmount", writing: [object]) { isClosed = true } }

    func awaitAnswer(of number: Int) {
        let isAnswered = { @Sendable [self] in answered.contains(number) }
        ScheduledObject.step("get the answer to request \(number)", reading: [object], when: isAnswered) {}
    }

    func awaitEnd() {
        let haveEnded = { @Sendable [self] in endCount > 0 }
        ScheduledObject.step("see the end of the workers", reading: [object], when: haveEnded) {}
    }

    // MARK: The pool's side

    func end() { ScheduledObject.step("report the end of the workers", writing: [object]) { endCount += 1 } }

    func receive(_ number: inout Int) -> Reception {
        let interrupts = interruptCount
        let hasNews = { @Sendable [self] in
            !waiting.isEmpty || isClosed || interruptCount != interrupts || outOfMemoryCount > 0
        }
        return ScheduledObject.step("receive a request", writing: [object], when: hasNews) {
            if outOfMemoryCount > 0 {
                outOfMemoryCount -= 1
                return .outOfMemory
            }
            if interruptCount != interrupts { return .nothing }
            guard !waiting.isEmpty else { return .end }
            number = waiting.removeFirst()
            taken.append(number)
            return .request
        }
    }

    func process(_ number: Int) {
        let request = requests[number]
        if case .milliseconds(let count) = request {
            let gate = ScheduledGate(name: "time")
            gate.withLock { gate.wait(until: ScheduledCoordination.nanoseconds + count * 1_000_000) }
        }
        let count = questions.count
        let isDone = { @Sendable [self] in
            switch request {
            case .immediate, .milliseconds: true
            case .until(let other): answered.contains(other)
            case .untilSeen: questions.count > count || taken.count - answered.count > 1 || waiting.isEmpty
            }
        }
        ScheduledObject.step("answer request \(number)", writing: [object], when: isDone) { answered.append(number) }
    }

    func hasBacklog() -> Bool {
        let now = ScheduledCoordination.nanoseconds
        return ScheduledObject.step("look for queued requests", writing: [object]) {
            questions.append((now, !waiting.isEmpty))
            return !waiting.isEmpty
        }
    }

    /// Interrupts those that wait for a request at this moment.
    func interrupt() { ScheduledObject.step("interrupt the workers", writing: [object]) { interruptCount += 1 } }
}

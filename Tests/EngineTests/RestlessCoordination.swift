import Glibc
import Platform
import Synchronization

@testable import Engine

/// The system's coordination with random yields before accesses to shared words and before unlocks, so that interleavings
/// between two steps of the log occur also on a machine with few processors.
enum RestlessCoordination: Coordination {
    typealias Gate = RestlessGate
    typealias Words = RestlessWords

    static func relax(_ round: inout Int) { SystemCoordination.relax(&round) }
    static var nanoseconds: UInt64 { SystemCoordination.nanoseconds }

    private static let steps = Atomic<UInt64>(0)

    static func rest() {
        // A prime: so that it is not always the same step of a loop.
        if steps.wrappingAdd(1, ordering: .relaxed).oldValue % 7 == 0 { sched_yield() }
    }
}

final class RestlessWords: SharedWords {
    private let words: SystemWords

    init(count: Int, name: StaticString) { words = SystemWords(count: count, name: name) }

    func load(_ index: Int) -> UInt64 {
        RestlessCoordination.rest()
        return words.load(index)
    }

    func store(_ value: UInt64, at index: Int) {
        RestlessCoordination.rest()
        words.store(value, at: index)
    }

    func exchange(at index: Int, expected: UInt64, desired: UInt64) -> Bool {
        RestlessCoordination.rest()
        return words.exchange(at: index, expected: expected, desired: desired)
    }

    func wait(at index: Int, while value: UInt64, in room: WaitRoom) {
        RestlessCoordination.rest()
        words.wait(at: index, while: value, in: room)
    }

    func wakeOne(at index: Int, in room: WaitRoom) {
        RestlessCoordination.rest()
        words.wakeOne(at: index, in: room)
    }

    func wakeAll(at index: Int, in room: WaitRoom) {
        RestlessCoordination.rest()
        words.wakeAll(at: index, in: room)
    }
}

final class RestlessGate: WaitGate {
    private let gate: SystemGate

    init(name: StaticString) { gate = SystemGate(name: name) }

    func lock() { gate.lock() }

    func unlock() {
        RestlessCoordination.rest()
        gate.unlock()
    }

    func wait() { gate.wait() }
    func wait(until deadlineNanoseconds: UInt64) { gate.wait(until: deadlineNanoseconds) }
    func wakeAll() { gate.wakeAll() }
}

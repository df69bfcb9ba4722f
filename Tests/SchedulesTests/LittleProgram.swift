import Platform

@testable import Schedules

/// Threads of a few operations on shared words. What each of them read is its outcome; `outcomes` collects those of all
/// schedules.
struct LittleProgram: ScheduleScenario {
    enum Operation: Hashable, CustomStringConvertible {
        case load(Int)
        case store(UInt64, Int)
        case exchange(Int, from: UInt64, to: UInt64)
        case locked(load: Int, store: UInt64)

        var description: String {
            switch self {
            case .load(let word): "load \(word)"
            case .store(let value, let word): "store \(value) at \(word)"
            case .exchange(let word, let from, let to): "exchange \(word): \(from) by \(to)"
            case .locked(let word, let value): "locked: load \(word), store \(value)"
            }
        }
    }

    final class World: @unchecked Sendable {
        let words = ScheduledWords(count: 3, name: "word")
        let gate = ScheduledGate(name: "gate")
        /// Each thread writes its own.
        var read: [[UInt64]]

        init(_ count: Int) { read = Array(repeating: [], count: count) }
    }

    var programs: [[Operation]]
    let outcomes = Guarded<Set<[[UInt64]]>>([])

    init(_ programs: [Operation]...) { self.programs = programs }
    init(programs: [[Operation]]) { self.programs = programs }

    var threads: [String] { programs.indices.map { "thread \($0)" } }

    func makeWorld() -> World { World(programs.count) }

    func run(_ thread: Int, in world: World) {
        var read: [UInt64] = []
        for operation in programs[thread] {
            switch operation {
            case .load(let word): read.append(world.words.load(word))
            case .store(let value, let word): world.words.store(value, at: word)
            case .exchange(let word, let from, let to):
                read.append(world.words.exchange(at: word, expected: from, desired: to) ? 1 : 0)
            case .locked(let word, let value):
                world.gate.withLock {
                    read.append(world.words.load(word))
                    world.words.store(value, at: word)
                }
            }
        }
        world.read[thread] = read
    }

    func check(_ world: World) {
        let read = world.read + [(0..<3).map { world.words.load($0) }]
        outcomes.withLock { _ = $0.insert(read) }
    }

    /// What each thread can read, and the words in the end.
    func explored(_ surprises: SurpriseLimits = .none, preemptions: Int? = nil) throws -> (
        outcomes: Set<[[UInt64]]>, report: ScheduleReport
    ) {
        outcomes.withLock { $0 = [] }
        var explorer = ScheduleExplorer()
        explorer.surprises = surprises
        explorer.preemptions = preemptions
        let report = try explorer.explore(self)
        return (outcomes.withLock { $0 }, report)
    }
}

import Synchronization

/// Unique numbers in this process: 1, 2, …
final class Counter: Sendable {
    private let last = Atomic<Int>(0)

    package func next() -> Int { last.wrappingAdd(1, ordering: .relaxed).newValue }
}

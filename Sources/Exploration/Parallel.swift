import Foundation
import Platform
import Synchronization

/// A parallel map with results in the order of the items.
package enum Parallel {
    /// Calls `body` with each of `items`, on at most `workers` threads. After a result for which `isOver` is true no further
    /// item begins. Throws the first error in the order of the items.
    package static func map<Item: Sendable, Output: Sendable>(
        _ items: [Item], workers: Int, isOver: @Sendable (Output) -> Bool = { _ in false },
        _ body: @Sendable (Int, Item) throws -> Output
    ) throws -> [Output?] {
        guard workers > 1, items.count > 1 else {
            var outputs = [Output?](repeating: nil, count: items.count)
            for (index, item) in items.enumerated() {
                let output = try body(index, item)
                outputs[index] = output
                if isOver(output) { break }
            }
            return outputs
        }
        let found = Guarded<[Result<Output, any Error>?]>(Array(repeating: nil, count: items.count))
        let next = Atomic<Int>(0)
        let over = Atomic<Bool>(false)
        // Several items at a time, to reduce contention.
        let stride = max(1, min(16, items.count / (32 * workers)))
        DispatchQueue.concurrentPerform(iterations: min(workers, items.count)) { _ in
            while true {
                let begin = next.add(stride, ordering: .relaxed).oldValue
                guard begin < items.count, !over.load(ordering: .relaxed) else { return }
                let range = begin..<min(begin + stride, items.count)
                var results: [Result<Output, any Error>] = []
                for index in range where !over.load(ordering: .relaxed) {
                    results.append(Result { try body(index, items[index]) })
                    if (try? isOver(results[results.count - 1].get())) == true { over.store(true, ordering: .relaxed) }
                }
                found.withLock { found in
                    for (index, result) in zip(range, results) { found[index] = result }
                }
            }
        }
        return try found.withLock { $0 }.map { try $0?.get() }
    }
}

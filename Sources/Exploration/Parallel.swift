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
        perform(onThreads: min(workers, items.count)) {
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

    /// Runs `body` on `count` threads at once, and returns when all have ended.
    ///
    /// Libdispatch runs no more threads than there are processors. Work that mostly waits for the kernel, such as mounts,
    /// needs more, so these are threads of its own.
    private static func perform(onThreads count: Int, _ body: @Sendable () -> Void) {
        guard count > ProcessInfo.processInfo.activeProcessorCount else {
            return DispatchQueue.concurrentPerform(iterations: count) { _ in body() }
        }
        // The threads end before `body` does.
        withoutActuallyEscaping(body) { body in
            let threads = (1..<count).compactMap { _ in try? Platform.Thread { body() } }
            body()
            for thread in threads { thread.join() }
        }
    }
}

import Foundation
import Platform
import Storage

/// Runs `body` on `count` threads at once and waits for all of them; rethrows the first error.
func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let failure = Guarded<(any Error)?>(nil)
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            defer { group.leave() }
            do { try body(index) } catch { failure.withLock { $0 = $0 ?? error } }
        }
    }
    group.wait()
    if let error = failure.withLock({ $0 }) { throw error }
}

import Bytes
import Glibc
import Platform
import Synchronization
import Testing

@testable import Block

/// Images for more threads than the machine has devices.
@Suite(.enabled(if: BlockMachine.isAble), .serialized) struct ImagePoolTests {
    private let scratch: BlockScratch

    init() throws { scratch = try BlockScratch() }

    private final class Devices: Sendable {
        let left: Atomic<Int>
        init(_ count: Int) { left = Atomic(count) }
    }

    /// A pool on a machine with so many devices.
    private func pool(devices count: Int) -> ImagePool {
        let devices = Devices(count)
        return ImagePool(.ext4, scratch: scratch.path) { filesystem, sectorBytes, place in
            guard devices.left.subtract(1, ordering: .relaxed).newValue >= 0 else {
                throw BlockError.noLoopDevice(errno: 16)
            }
            return try BlockImage(filesystem, sectorBytes: sectorBytes, in: place)
        }
    }

    @Test func `threads wait for those that have one`() throws {
        let pool = pool(devices: 2)
        let using = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        let done = Atomic<Int>(0)
        let asked = Atomic<Int>(0)
        try withThreads(6) {
            asked.add(1, ordering: .relaxed)
            for _ in 0..<5 {
                try pool.withImage { _ in
                    // The first two keep theirs until the others have asked, too, and for a moment more.
                    while asked.load(ordering: .relaxed) < 6 { usleep(100) }
                    usleep(1000)
                    let now = using.add(1, ordering: .relaxed).newValue
                    most.max(now, ordering: .relaxed)
                    done.add(1, ordering: .relaxed)
                    using.subtract(1, ordering: .relaxed)
                }
            }
        }
        #expect(done.load(ordering: .relaxed) == 30)
        #expect((1...2).contains(most.load(ordering: .relaxed)))
        pool.close()
    }

    @Test func `without any device the reason is told`() throws {
        #expect(throws: BlockError.noLoopDevice(errno: 16)) { try pool(devices: 0).withImage { _ in } }
    }

    private func withThreads(_ count: Int, _ body: @Sendable () throws -> Void) throws {
        let errors = Guarded<[any Error]>([])
        try withoutActuallyEscaping(body) { body in
            let threads = try (0..<count).map { _ in
                try Thread { do { try body() } catch { errors.withLock { $0.append(error) } } }
            }
            for thread in threads { thread.join() }
        }
        if let error = errors.withLock({ $0.first }) { throw error }
    }
}

import Engine
import Events
import Platform
import Storage

/// A clock that stands still until it is moved.
final class TestClock: EventClock {
    private let time: Guarded<UInt64>

    init(seconds: UInt64 = 1_000_000) { time = Guarded(seconds * 1_000_000_000) }

    init(nanoseconds: UInt64) { time = Guarded(nanoseconds) }

    var now: UInt64 { time.withLock { $0 } }

    func advance(nanoseconds: UInt64) { time.withLock { $0 += nanoseconds } }

    func advance(seconds: Int64) { time.withLock { $0 = UInt64(Int64($0) + seconds * 1_000_000_000) } }
}

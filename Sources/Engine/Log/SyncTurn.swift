/// The one word on which the syncs of a log agree: who leads, and who sleeps until which sync ends.
///
/// One thread leads at a time. Whoever comes meanwhile sleeps in one of two rooms: until the sync under way ends if that
/// covers its record, else until the next one ends. When a sync ends, its room is woken, and of the other room one thread,
/// to lead the next: the others would only find that it is not their turn yet. Then the rooms change places.
///
/// Nobody is forgotten: the word changes with each step, so nobody falls asleep on what is no longer so; and whoever leads
/// next, from that room or not, leads for that room and wakes it at the end. The one that is woken to lead finds its record
/// not durable, unless another led before it.
struct SyncTurn {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    private static let led: UInt64 = 1
    private static let announced: UInt64 = 2
    private static let odd: UInt64 = 4
    /// The steps are counted above the flags: 27 bits of the lower half, which is all that a sleeper is held to.
    private static let step: UInt64 = 32

    var isLed: Bool { rawValue & Self.led != 0 }

    /// Whether it is known which records the sync under way covers. Until then a thread takes its own to be covered: it was
    /// published before.
    var isAnnounced: Bool { rawValue & Self.announced != 0 }

    /// Where those sleep whose records the sync under way covers.
    var room: WaitRoom { rawValue & Self.odd == 0 ? .even : .odd }

    func hasSleepers(in room: WaitRoom) -> Bool { rawValue & Self.bit(room) != 0 }

    func taken() -> SyncTurn { next(rawValue | Self.led) }
    func announcing() -> SyncTurn { next(rawValue | Self.announced) }
    func withSleepers(in room: WaitRoom) -> SyncTurn { SyncTurn(rawValue: rawValue | Self.bit(room)) }

    /// After the sync: its room is empty, and becomes the one for the sync after the next.
    func ended() -> SyncTurn { next((rawValue & ~(Self.led | Self.announced | Self.bit(room))) ^ Self.odd) }

    /// Whoever is about to sleep on the word as it was looks again.
    func stirred() -> SyncTurn { next(rawValue) }

    private func next(_ flags: UInt64) -> SyncTurn { SyncTurn(rawValue: flags &+ Self.step) }
    private static func bit(_ room: WaitRoom) -> UInt64 { room == .even ? 8 : 16 }
}

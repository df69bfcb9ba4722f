import Platform

/// The atomic word that coordinates the syncs of a log: whether a thread leads, and in which room other threads sleep.
///
/// One thread leads at a time. Other threads sleep in one of two rooms: until the running sync ends if it covers their
/// record, otherwise until the next one ends. When a sync ends, all threads of its room are woken, and one thread of the
/// other room, to lead the next sync; the others of that room stay asleep. Then the rooms swap.
///
/// No wakeup is lost: the word changes with each step, so that no thread falls asleep on an outdated word. The next leader,
/// from whichever room, leads for the waiting room and wakes it at the end. The thread that is woken to lead finds its record
/// not durable, unless another thread led before it.
struct SyncTurn {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    private static let led: UInt64 = 1
    private static let announced: UInt64 = 2
    private static let odd: UInt64 = 4
    /// The step counter above the flags: 27 bits of the lower half, which is the part that a sleeping thread compares.
    private static let step: UInt64 = 32

    var isLed: Bool { rawValue & Self.led != 0 }

    /// Whether the leader has announced which records the running sync covers. Before that, a thread assumes that its record,
    /// published earlier, is covered.
    var isAnnounced: Bool { rawValue & Self.announced != 0 }

    /// The room of the threads whose records the running sync covers.
    var room: WaitRoom { rawValue & Self.odd == 0 ? .even : .odd }

    func hasSleepers(in room: WaitRoom) -> Bool { rawValue & Self.bit(room) != 0 }

    func taken() -> SyncTurn { next(rawValue | Self.led) }
    func announcing() -> SyncTurn { next(rawValue | Self.announced) }
    func withSleepers(in room: WaitRoom) -> SyncTurn { SyncTurn(rawValue: rawValue | Self.bit(room)) }

    /// The turn after the sync: its room is empty and becomes the room for the sync after the next.
    func ended() -> SyncTurn { next((rawValue & ~(Self.led | Self.announced | Self.bit(room))) ^ Self.odd) }

    /// The turn with another step count, so that threads about to sleep on the old word check again.
    func stirred() -> SyncTurn { next(rawValue) }

    private func next(_ flags: UInt64) -> SyncTurn { SyncTurn(rawValue: flags &+ Self.step) }
    private static func bit(_ room: WaitRoom) -> UInt64 { room == .even ? 8 : 16 }
}

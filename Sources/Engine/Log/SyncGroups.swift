/// Who leads the syncs of a log, and who waits for which.
///
/// One thread leads at a time. Whoever comes meanwhile waits in one of two rooms: for the sync under way if that covers its
/// record, else for the next one. When a sync ends, its room is woken, and of the other room one thread, to lead the next:
/// the others would only find that it is not their turn yet. Then the rooms change places.
///
/// Nobody is forgotten: whoever leads next, from that room or not, leads for that room and wakes it at the end. One that
/// came before it was known how far the sync under way reaches may wait for the next although it is covered: then the
/// whole room is woken.
///
/// Guarded by the gate whose rooms these are.
struct SyncGroups {
    private(set) var isLed = false
    private var current = WaitRoom.even
    /// The first record that waits for the next sync.
    private var firstOfNext = UInt64.max

    mutating func lead() { isLed = true }

    /// Where the record's thread waits, while another leads whose sync reaches `reached`, as far as is known.
    mutating func room(for lsn: UInt64, reached: UInt64) -> WaitRoom {
        if lsn <= reached { return current }
        firstOfNext = min(firstOfNext, lsn)
        return next
    }

    /// The sync is over. `reached` is the last record that it made durable; nil if it made none.
    mutating func end(reached: UInt64?, waking gate: some WaitGate) {
        isLed = false
        if let reached, firstOfNext > reached {
            gate.wakeAll(in: current)
            gate.wakeOne(in: next)
        } else {
            gate.wakeAll()
        }
        current = next
        firstOfNext = .max
    }

    private var next: WaitRoom { current == .even ? .odd : .even }
}

/// The steps of one execution that touched an object, as far as later steps can race with them.
struct AccessHistory {
    /// The index of the last step that wrote to the object, or acquired it.
    private(set) var lastWrite: Int?
    /// The last steps that read the object since, one a thread.
    private var reads: [(thread: Int, index: Int)] = []
    private var writeClock = VectorClock()
    private var readClock = VectorClock()

    /// The earlier steps with which a step races: they are dependent, nothing in between orders them, and the step could
    /// have come first. `before` is what its thread had seen.
    func races(of mode: Action.Mode, by thread: Int, _ before: VectorClock, in events: [Event]) -> [Int] {
        func isRacing(_ index: Int) -> Bool {
            let event = events[index]
            return event.thread != thread && !before.contains(event.number, of: event.thread)
        }
        if mode == .release { return [] }
        if mode == .write, !reads.isEmpty { return reads.map(\.index).filter(isRacing) }
        return lastWrite.map { isRacing($0) ? [$0] : [] } ?? []
    }

    /// What happened before a step with this access.
    func clock(before mode: Action.Mode) -> VectorClock {
        var clock = writeClock
        if mode != .read { clock.join(readClock) }
        return clock
    }

    mutating func add(_ mode: Action.Mode, _ index: Int, by thread: Int, _ clock: VectorClock) {
        switch mode {
        case .read:
            reads.removeAll { $0.thread == thread }
            reads.append((thread, index))
            readClock.join(clock)
        case .write, .acquire:
            lastWrite = index
            reads.removeAll()
            writeClock = clock
            readClock = VectorClock()
        case .release: writeClock.join(clock)
        }
    }
}

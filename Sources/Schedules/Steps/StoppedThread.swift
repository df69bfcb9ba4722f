/// A thread that stops for ever: it takes so many steps, and no more. In a schedule `!A12`.
///
/// The step that it is about to take has not happened: it stops with everything that it holds.
public struct StoppedThread: Hashable, Sendable {
    public var thread: Int
    public var afterSteps: Int

    public init(_ thread: Int, afterSteps: Int) {
        self.thread = thread
        self.afterSteps = afterSteps
    }
}

/// Where a thread waits.
public enum SchedulePlace: Hashable, Sendable {
    /// At a gate of this name: for its lock, or for a wakeup.
    case gate(String)
    /// Asleep on a word.
    case word(Int, of: String)
    /// In a loop, for a change by another thread (`Coordination.relax`).
    case loop
    case elsewhere
}

/// A thread that cannot go on because another one has stopped for ever.
public struct ScheduleWait: Hashable, Sendable {
    public var thread: Int
    public var place: SchedulePlace
    /// The step that the thread cannot take, for people.
    public var text: String

    /// Who waits, and where.
    public struct Site: Hashable, Sendable {
        public var thread: Int
        public var place: SchedulePlace

        public init(_ thread: Int, _ place: SchedulePlace) {
            self.thread = thread
            self.place = place
        }
    }

    public var site: Site { Site(thread, place) }
}

/// An object whose operations are steps.
protocol SharedObject: AnyObject {
    /// Whether the thread's pending step can be taken now.
    func isEnabled(_ thread: Participant) -> Bool
    /// The number of outcomes of the thread's pending step, which is enabled. The first is the usual one.
    func choiceCount(_ thread: Participant) -> Int
    /// The thread's pending step, for people.
    func title(_ thread: Participant) -> String
    /// Where the thread waits, if its pending step cannot be taken.
    func place(_ thread: Participant) -> SchedulePlace
    /// Whether the thread's pending step, which is not enabled, can be taken because time passes.
    func isEnabledByTime(_ thread: Participant) -> Bool
}

extension SharedObject {
    func place(_ thread: Participant) -> SchedulePlace { .elsewhere }
    func isEnabledByTime(_ thread: Participant) -> Bool { false }
}

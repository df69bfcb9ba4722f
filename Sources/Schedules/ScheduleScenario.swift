/// Some threads that share a world, and what must hold in the end, whatever the schedule.
///
/// The threads must share only what is made of `ScheduledCoordination` and `ScheduledObject`, or is guarded by that, and do
/// the same whenever the schedule is the same: no clock, no randomness, no addresses. They must not hold another lock
/// at a step.
public protocol ScheduleScenario: Sendable {
    associatedtype World: Sendable

    /// The names of the threads, 1 to 8 of them. In a schedule they are A, B, …
    var threads: [String] { get }
    /// Prepares what the threads share, before each execution.
    func makeWorld() throws -> World
    /// What a thread does. A thrown error is a failure.
    func run(_ thread: Int, in world: World) throws
    /// Throws if the world is wrong after all threads have ended.
    func check(_ world: World) throws
    /// Whether a thread may wait like this for another one that has stopped for ever, at any of its steps. By default no thread
    /// may wait: the code is lock-free.
    func mayWait(_ wait: ScheduleWait, forStopped thread: Int) -> Bool
    /// The name of a word for people, or the meaning of its value; nil for the plain number.
    func describe(word index: Int, of words: String, value: UInt64?) -> String?
}

extension ScheduleScenario {
    public func mayWait(_ wait: ScheduleWait, forStopped thread: Int) -> Bool { false }
    public func describe(word index: Int, of words: String, value: UInt64?) -> String? { nil }
}

/// What a check throws.
public struct ScheduleCheckError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}

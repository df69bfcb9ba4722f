/// Anything else that threads share, such as a file: its operations are steps. A call that reads it commutes with others
/// that read; all other calls on it are ordered both ways.
///
///     let file = ScheduledObject("a.log")
///     try ScheduledObject.step("sync a.log", writing: [file]) { try real.sync() }
///
/// The body runs at once, in one piece: it must not wait for another thread. The step itself may wait until a condition holds,
/// such as that a queue has something to take.
public final class ScheduledObject: @unchecked Sendable {
    fileprivate let number: Int
    private let synchronises: Bool
    /// What a thread that reads or writes it is guaranteed to see.
    private var view = VectorClock()

    /// - Parameter synchronises: whether a thread that reads it sees all that those had done who wrote it, as with a pipe, or the
    ///   start of a thread. By default it does not, and loads of words may still return older values.
    public init(synchronises: Bool = false) {
        number = Participant.current?.execution.newObject() ?? 0
        self.synchronises = synchronises
    }

    /// Does something as one step, in which these objects are read and written.
    ///
    /// - Parameter condition: the step waits until it holds. It may depend only on what these objects stand for.
    public static func step<Result, Failure: Error>(
        _ title: @autoclosure () -> String, reading: [ScheduledObject] = [], writing: [ScheduledObject] = [],
        when condition: @escaping @Sendable () -> Bool = { true }, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let thread = Participant.scheduled else {
            precondition(condition(), "a thread that is alone would wait for ever")
            return try body()
        }
        let accesses =
            writing.map { Action.Access(object: $0.number, mode: .write) }
            + reading.map { Action.Access(object: $0.number, mode: .read) }
        let execution = thread.execution
        let operation = CustomOperation(execution.rows == nil ? "" : title(), condition)
        _ = execution.step(
            Action(kind: .custom, accesses: accesses, changes: !writing.isEmpty), of: operation, by: thread)
        for object in writing + reading where object.synchronises { thread.view.join(object.view) }
        for object in writing where object.synchronises { object.view = thread.view }
        do { return try body() } catch {
            execution.note("fails: \(error)")
            throw error
        }
    }
}

private final class CustomOperation: SharedObject {
    private let name: String
    private let condition: @Sendable () -> Bool

    init(_ name: String, _ condition: @escaping @Sendable () -> Bool) {
        self.name = name
        self.condition = condition
    }

    func isEnabled(_ thread: Participant) -> Bool { condition() }
    func choiceCount(_ thread: Participant) -> Int { 1 }
    func title(_ thread: Participant) -> String { name }
}

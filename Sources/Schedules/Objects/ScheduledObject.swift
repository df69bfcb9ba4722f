/// Anything else that threads share, such as a file: its operations are steps. A call that reads it commutes with others
/// that read; all other calls on it are ordered both ways.
///
///     let file = ScheduledObject("a.log")
///     try ScheduledObject.step("sync a.log", writing: [file]) { try real.sync() }
///
/// The body runs at once, in one piece: it must not wait for another thread.
public final class ScheduledObject: Sendable {
    fileprivate let number: Int

    public init() { number = Participant.current?.execution.newObject() ?? 0 }

    /// Does something as one step, in which these objects are read and written.
    public static func step<Result, Failure: Error>(
        _ title: @autoclosure () -> String, reading: [ScheduledObject] = [], writing: [ScheduledObject] = [],
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let thread = Participant.scheduled else { return try body() }
        let accesses =
            writing.map { Action.Access(object: $0.number, mode: .write) }
            + reading.map { Action.Access(object: $0.number, mode: .read) }
        let execution = thread.execution
        let operation = CustomOperation(execution.rows == nil ? "" : title())
        _ = execution.step(
            Action(kind: .custom, accesses: accesses, changes: !writing.isEmpty), of: operation, by: thread)
        do { return try body() } catch {
            execution.note("fails: \(error)")
            throw error
        }
    }
}

private final class CustomOperation: SharedObject {
    private let name: String

    init(_ name: String) { self.name = name }

    func isEnabled(_ thread: Participant) -> Bool { true }
    func choiceCount(_ thread: Participant) -> Int { 1 }
    func title(_ thread: Participant) -> String { name }
}

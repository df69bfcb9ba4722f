import Model

/// Receives the recorder's events. `begin` and `append` are called one at a time, in order of effect. The others must
/// be thread safe.
package protocol TraceSink: AnyObject, Sendable {
    /// Starts the trace with the base tree, whose file contents are payloads of `contents`.
    func begin(_ base: Tree, contents: any PayloadStore) throws
    /// Appends an event. `data` is the data of a write or oracle line. The sink decides where to put it and returns the
    /// event with that payload; of the given payload only the length counts.
    func append(_ event: TraceEvent, data: UnsafeRawBufferPointer) throws -> TraceEvent
    /// Calls `body` for every event so far, in order.
    func forEachEvent(_ body: (TraceEvent) -> Void) throws
    /// The text of `.faultline/trace`: lines `name value`.
    var status: String { get }
    /// Reads the payloads of the events.
    var payloads: any PayloadStore { get }
}

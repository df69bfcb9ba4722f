import Model

/// Where the recorder puts what it records. `begin` and `append` come one at a time, in the order of effect; the
/// others may come from any thread at any time.
package protocol TraceSink: AnyObject, Sendable {
    /// The tree as it is when the recording begins. The contents of its files are payloads of `contents`.
    func begin(_ base: Tree, contents: any PayloadStore) throws
    /// Adds an event. `data` is that of a write or an oracle line; where the event's payload points does not matter,
    /// only its length: the sink decides where the data goes, and answers the event that points there.
    func append(_ event: TraceEvent, data: UnsafeRawBufferPointer) throws -> TraceEvent
    /// Runs `body` over everything that was recorded so far, in order.
    func forEachEvent(_ body: (TraceEvent) -> Void) throws
    /// What `.faultline/trace` says: lines `name value`.
    var status: String { get }
    /// Where the payloads of the events are.
    var payloads: any PayloadStore { get }
}

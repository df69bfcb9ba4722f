import Model

/// Where the recorder puts what it records. `begin` and `append` come one at a time, in the order of effect; the
/// others may come from any thread at any time.
package protocol TraceSink: AnyObject, Sendable {
    /// The tree as it is when the recording begins. The contents of its files are payloads of `contents`.
    func begin(_ base: Tree, contents: any PayloadStore) throws
    /// Adds an event. `data` is that of a write or an oracle line; where the event's payload points does not matter,
    /// only its length: the sink decides where the data goes.
    func append(_ event: TraceEvent, data: UnsafeRawBufferPointer) throws
    /// Everything that was recorded so far.
    func events() throws -> [TraceEvent]
    /// What `.faultline/trace` says: lines `name value`.
    var status: String { get }
    /// Where the payloads of `events` are.
    var payloads: any PayloadStore { get }
}

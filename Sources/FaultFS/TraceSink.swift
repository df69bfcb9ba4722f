import Model

/// Where the recorder puts what it records. Calls come one at a time, in the order of effect.
package protocol TraceSink: AnyObject, Sendable {
    /// Adds an event. `data` is that of a write or an oracle line; where the event's payload points does not matter,
    /// only its length: the sink decides where the data goes.
    func append(_ event: TraceEvent, data: UnsafeRawBufferPointer) throws
}

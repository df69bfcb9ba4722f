import Model

/// A loaded trace without its data: payloads point into the file.
public struct RecordedTrace: Sendable {
    /// The tree before the first event.
    public var base: Tree
    public var events: [TraceEvent]
    public var ending: TraceEnding

    public init(base: Tree, events: [TraceEvent], ending: TraceEnding) {
        self.base = base
        self.events = events
        self.ending = ending
    }
}

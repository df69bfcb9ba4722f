import Model

/// What a trace file held, without the data: payloads point into the file.
public struct RecordedTrace: Sendable {
    public var base: [BaseRecord]
    public var events: [TraceEvent]
    public var ending: TraceEnding
    /// False when the file was cut off within the base tree: no crash state can be derived then.
    public var isBaseWhole: Bool

    public init(base: [BaseRecord], events: [TraceEvent], ending: TraceEnding, isBaseWhole: Bool) {
        self.base = base
        self.events = events
        self.ending = ending
        self.isBaseWhole = isBaseWhole
    }
}

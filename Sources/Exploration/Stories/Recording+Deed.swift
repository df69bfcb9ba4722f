import Model

extension Recording {
    /// What happened in the event with this number, counted from 1, in words.
    package func deed(ofEvent number: Int) -> String {
        guard events.indices.contains(number - 1) else { return "the beginning" }
        var narrator = TraceNarrator()
        for record in base.baseRecords() { narrator.follow(record) }
        for event in events[..<(number - 1)] { _ = narrator.tell(event) }
        return narrator.tell(events[number - 1]).deed
    }
}

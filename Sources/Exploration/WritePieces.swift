import Model

/// One of the pieces in which the kernel handed a write(2) over.
struct WritePiece: Hashable, Sendable {
    /// From 1.
    var number: Int
    /// How many of the call were recorded.
    var count: Int

    /// `piece 1 of 2 of one write`
    var words: String { "piece \(number) of \(count) of one write" }
}

extension Recording {
    /// Which piece of a write(2) the event at `index` is; nil for all else, and for a write that came whole.
    func writePiece(at index: Int) -> WritePiece? {
        guard events.indices.contains(index) else { return nil }
        let before = events[..<(index + 1)].reversed().prefix { $0.isFurtherPiece }.count
        let after = events[(index + 1)...].prefix { $0.isFurtherPiece }.count
        return before + after == 0 ? nil : WritePiece(number: before + 1, count: before + after + 1)
    }

    /// The last piece that was there when the crash came between two pieces of one write(2).
    func writePieceCut(at crashPoint: Int) -> WritePiece? {
        writePiece(at: crashPoint - 1).flatMap { $0.number < $0.count ? $0 : nil }
    }
}

extension TraceEvent {
    /// One more piece of the write(2) whose piece before is the event before.
    var isFurtherPiece: Bool {
        if case .operation(let operation) = self { operation.origin == .sameCall } else { false }
    }
}

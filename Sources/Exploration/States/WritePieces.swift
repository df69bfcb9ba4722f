import Model

/// A piece of a write(2) that the kernel split into several requests.
package struct WritePiece: Hashable, Sendable {
    /// From 1.
    package var number: Int
    /// The number of recorded pieces of the call.
    package var count: Int
}

extension Recording {
    /// The piece of a write(2) at `index`; nil for a write that was not split, and for other events.
    package func writePiece(at index: Int) -> WritePiece? {
        guard events.indices.contains(index) else { return nil }
        let before = events[..<(index + 1)].reversed().prefix { $0.isFurtherPiece }.count
        let after = events[(index + 1)...].prefix { $0.isFurtherPiece }.count
        return before + after == 0 ? nil : WritePiece(number: before + 1, count: before + after + 1)
    }

    /// The last piece before the crash, if the crash came between two pieces of one write(2).
    package func writePieceCut(at crashPoint: Int) -> WritePiece? {
        writePiece(at: crashPoint - 1).flatMap { $0.number < $0.count ? $0 : nil }
    }
}

extension TraceEvent {
    /// Whether it is a further piece of the write(2) in the previous event.
    var isFurtherPiece: Bool {
        if case .operation(let operation) = self { operation.origin == .sameCall } else { false }
    }
}

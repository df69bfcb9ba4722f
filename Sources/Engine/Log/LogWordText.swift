import Platform

/// The shared words of a log for people: what a scheduler's table shows.
package enum LogWordText {
    /// The word on which threads sleep until a sync ends.
    package static let turn = Word.turn

    /// The name of a word, or the meaning of its value; nil for words that are not a log's.
    ///
    /// - Parameter words: the name with which the words were made.
    package static func describe(_ index: Int, of words: String, value: UInt64?) -> String? {
        switch words {
        case "log": value.map { meaning(of: $0, at: index) } ?? name(index)
        case "ring": value.map { "\($0)" } ?? "published end of slot \(index)"
        default: nil
        }
    }

    private static func name(_ index: Int) -> String? {
        switch index {
        case Word.reservation: "reservation"
        case Word.flushedPosition: "flushed position"
        case Word.flushedLSN: "flushed LSN"
        case Word.durableLSN: "durable LSN"
        case Word.hasEnded: "has ended"
        case Word.turn: "turn"
        case Word.announcedLSN: "announced LSN"
        default: nil
        }
    }

    private static func meaning(of value: UInt64, at index: Int) -> String {
        switch index {
        case Word.reservation:
            let word = Reservation(rawValue: value)
            return "(\(word.count) records, \(word.endBytes) bytes\(word.isSealed ? ", sealed" : ""))"
        case Word.turn:
            let turn = SyncTurn(rawValue: value)
            var parts = ["\(turn.room) room"]
            if turn.isLed { parts.append("led") }
            if turn.isAnnounced { parts.append("announced") }
            parts += WaitRoom.allCases.filter(turn.hasSleepers).map { "sleepers in the \($0) one" }
            return "(\(parts.joined(separator: ", ")))"
        default: return "\(value)"
        }
    }
}

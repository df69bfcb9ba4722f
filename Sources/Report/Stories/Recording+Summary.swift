import Exploration
import Model

extension Recording {
    /// The event with this number, counted from 1, as text.
    package func summary(ofEvent number: Int) -> String {
        guard events.indices.contains(number - 1) else { return "the beginning" }
        var narrator = TraceNarrator()
        for record in base.baseRecords() { narrator.follow(record) }
        var began: [OperationID: String] = [:]
        for event in events[..<(number - 1)] {
            let line = narrator.narrate(event)
            if case .barrierBegan(let id, _, _) = event { began[id] = line.storyText }
        }
        let line = narrator.narrate(events[number - 1])
        switch events[number - 1] {
        case .barrierEnded(let id, errno: 0): return began[id].map { "\($0) returned" } ?? line.storyText
        case .oracle(let payload):
            guard let text = try? payloads.bytes(of: payload) else { return line.storyText }
            return OracleLineText(text, number: line.oracleNumber).text
        default: return line.storyText
        }
    }
}

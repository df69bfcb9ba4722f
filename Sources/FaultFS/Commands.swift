import Bytes
import Model

/// The commands of `.faultline/control`.
struct Commands: Sendable {
    let recorder: Recorder
    let faults: FaultInjector
    /// Cuts the power and says what that left.
    let crash: @Sendable (_ words: String) throws(Refusal) -> String
    /// Makes programs see what storage holds.
    let evict: @Sendable () -> Void
    /// Asks whoever serves the mount to end it; nil when the mount is part of something larger.
    let unmount: (@Sendable () -> Void)?
    /// More lines of the status.
    let labels: @Sendable () -> [String]

    private static let help = "there are: add RULE, remove N, clear, rules, status, evict, crash, unmount"

    func run(_ line: String) throws(Refusal) -> String {
        let words = line.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
        let rest = words.count > 1 ? String(words[1]) : ""
        switch (words.first, rest.isEmpty) {
        case ("crash", _): return try crash(rest)
        case ("status", true): return status
        case ("rules", true): return String(faults.status.dropLast())
        case ("clear", true):
            faults.removeAll()
            return "ok"
        case ("evict", true):
            evict()
            return "ok"
        case ("unmount", true):
            guard let unmount else { throw Refusal(reason: "this mount belongs to a run, which unmounts it") }
            unmount()
            return "ok"
        case ("add", false): return try add(rest)
        case ("remove", false):
            guard let number = UInt64(rest), faults.remove(number) else {
                throw Refusal(reason: "no rule has the number '\(Refusal.shown(rest))'")
            }
            return "ok"
        default: throw Refusal(reason: "'\(Refusal.shown(line))' is no command; \(Self.help)")
        }
    }

    private func add(_ text: String) throws(Refusal) -> String {
        let rule: Rule
        do throws(RuleError) { rule = try Rule(parsing: text) } catch { throw Refusal(reason: "\(error)") }
        return "rule \(try faults.add(rule))"
    }

    /// One `name value` a line.
    var status: String {
        let counts = recorder.recorded
        let lines =
            [
                "power \(recorder.freezeReason.map { "off, \($0)" } ?? "on")",
                "recording \(recorder.isRecording ? "yes" : "no")",
                "events \(counts.events)", "operations \(counts.operations)", "barriers \(counts.barriers)",
                "oracle-lines \(counts.oracleLines)", "faults \(faults.faults.count)",
            ] + labels()
        return lines.joined(separator: "\n")
    }
}

import Bytes
import Model

/// The commands of `.faultline/control`.
struct Commands: Sendable {
    let recorder: Recorder
    let faults: FaultInjector

    private static let help = "there are: add RULE, remove N, clear, rules, status, crash"

    func run(_ line: String) throws(Refusal) -> String {
        let words = line.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
        let rest = words.count > 1 ? String(words[1]) : ""
        switch (words.first, rest.isEmpty) {
        case ("crash", true): return recorder.freeze(.asked) ? "ok" : "ok, the power was gone before"
        case ("status", true): return status
        case ("rules", true): return String(faults.status.dropLast())
        case ("clear", true):
            faults.removeAll()
            return "ok"
        case ("add", false): return try add(rest)
        case ("remove", false):
            guard let number = UInt64(rest), faults.remove(number) else {
                throw Refusal(reason: "no rule has the number '\(rest)'")
            }
            return "ok"
        default: throw Refusal(reason: "'\(line)' is no command; \(Self.help)")
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
        return """
            power \(recorder.isFrozen ? "off" : "on")
            recording \(recorder.isRecording ? "yes" : "no")
            events \(counts.events)
            operations \(counts.operations)
            barriers \(counts.barriers)
            oracle-lines \(counts.oracleLines)
            faults \(faults.faults.count)
            """
    }
}

import Bytes
import Model

/// The commands of `.faultline/control`.
///
/// Threading: safe from several threads; one write's commands at a time.
final class Commands: Sendable {
    private let recorder: Recorder
    private let faults: FaultInjector
    private let usualCut: CutRequest
    /// Cuts the power and says what that left.
    private let crash: @Sendable (CutRequest) throws(Refusal) -> String
    /// Makes programs see what storage holds.
    private let evict: @Sendable () -> Void
    /// Asks whoever serves the mount to end it; nil when the mount is part of something larger.
    private let unmount: (@Sendable () -> Void)?
    /// More lines of the status.
    private let labels: @Sendable () -> [String]
    private let turn = Lock()

    private static let help = "there are: add RULE, remove N, clear, rules, status, evict, crash, unmount"

    /// A command that can be carried out.
    private enum Command {
        case add(Rule)
        case remove(UInt64)
        case crash(CutRequest)
        case unmount(@Sendable () -> Void)
        case clear, rules, status, evict
    }

    init(
        recorder: Recorder, faults: FaultInjector, usualCut: CutRequest,
        crash: @escaping @Sendable (CutRequest) throws(Refusal) -> String, evict: @escaping @Sendable () -> Void,
        unmount: (@Sendable () -> Void)?, labels: @escaping @Sendable () -> [String]
    ) {
        self.recorder = recorder
        self.faults = faults
        self.usualCut = usualCut
        self.crash = crash
        self.evict = evict
        self.unmount = unmount
        self.labels = labels
    }

    /// Judges all the lines of a write, then carries them out in their order; a line of its answers for each.
    ///
    /// - Throws: why the first of them cannot be carried out that cannot; none of them is then. What only shows when it
    ///   is done, that a crash state cannot be written, ends the write after the lines before it.
    func run(_ lines: [String]) throws(Refusal) -> String {
        try turn.withLock { () throws(Refusal) in
            var answers: [String] = []
            for command in try judge(lines) { answers.append(try carryOut(command)) }
            return answers.joined(separator: "\n")
        }
    }

    private func judge(_ lines: [String]) throws(Refusal) -> [Command] {
        var commands: [Command] = []
        do throws(Refusal) {
            for line in lines { commands.append(try parse(line)) }
        } catch {
            throw Self.refusal(error, index: commands.count, of: lines.count)
        }
        try checkNumbers(commands)
        return commands
    }

    /// Refuses to remove a rule that will not be there when it is that line's turn.
    private func checkNumbers(_ commands: [Command]) throws(Refusal) {
        guard commands.contains(where: { if case .remove = $0 { true } else { false } }) else { return }
        var (numbers, next) = faults.ruleNumbers
        for (index, command) in commands.enumerated() {
            switch command {
            case .add:
                numbers.insert(next)
                next += 1
            case .clear: numbers = []
            case .remove(let number):
                guard numbers.remove(number) == nil else { continue }
                throw Self.refusal(Self.noRule("\(number)"), index: index, of: commands.count)
            case .crash, .unmount, .rules, .status, .evict: continue
            }
        }
    }

    private static func refusal(_ refusal: Refusal, index: Int, of count: Int) -> Refusal {
        guard count > 1 else { return refusal }
        return Refusal(
            reason: "\(refusal.reason)\nthat is command \(index + 1) of \(count); none of them was carried out")
    }

    private func parse(_ line: String) throws(Refusal) -> Command {
        let words = line.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
        let rest = words.count > 1 ? String(words[1]) : ""
        switch (words.first, rest.isEmpty) {
        case ("crash", _): return .crash(try CutRequest(parsing: rest, usual: usualCut))
        case ("status", true): return .status
        case ("rules", true): return .rules
        case ("clear", true): return .clear
        case ("evict", true): return .evict
        case ("unmount", true):
            guard let unmount else { throw Refusal(reason: "this mount belongs to a run, which unmounts it") }
            return .unmount(unmount)
        case ("add", false):
            let rule: Rule
            do throws(RuleError) { rule = try Rule(parsing: rest) } catch { throw Refusal(reason: "\(error)") }
            try faults.check(rule)
            return .add(rule)
        case ("remove", false):
            guard let number = UInt64(rest) else { throw Self.noRule(rest) }
            return .remove(number)
        default: throw Refusal(reason: "'\(Refusal.shown(line))' is no command; \(Self.help)")
        }
    }

    private static func noRule(_ number: String) -> Refusal {
        Refusal(reason: "no rule has the number '\(Refusal.shown(number))'")
    }

    private func carryOut(_ command: Command) throws(Refusal) -> String {
        switch command {
        case .add(let rule): return "rule \(try faults.add(rule))"
        case .remove(let number): guard faults.remove(number) else { throw Self.noRule("\(number)") }
        case .crash(let request): return try crash(request)
        case .unmount(let unmount): unmount()
        case .clear: faults.removeAll()
        case .evict: evict()
        case .rules: return String(faults.status.dropLast())
        case .status: return status
        }
        return "ok"
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
